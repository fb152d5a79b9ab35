import type { ClippedText, JsonRecord, ToolOutcome } from '@bullpen/contracts';

import type { SessionState, Turn, TurnItem, UsageTotals } from './state.js';

export type Notice = Omit<Extract<TurnItem, { kind: 'notice' }>, 'kind'>;
export type ToolItem = Extract<TurnItem, { kind: 'tool' }>;

export const NO_USAGE: UsageTotals = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costUsd: 0,
};

/** The turn that an event belongs to: the one it names; without a name the running one, else the last. */
export function turnIdOf(state: SessionState, named: string | undefined): string | undefined {
  return named || (state.runningTurnId ?? state.turns.at(-1)?.turnId);
}

/** Every other turn keeps its identity. A turn that is not there (left out of a snapshot) changes nothing. */
export function updateTurn(state: SessionState, turnId: string | undefined, change: (turn: Turn) => Turn): SessionState {
  const index = state.turns.findLastIndex((turn) => turn.turnId === turnId);
  const turn = state.turns[index];
  if (turn === undefined) return state;
  const changed = change(turn);
  return changed === turn ? state : { ...state, turns: state.turns.with(index, changed) };
}

export function addItem(turn: Turn, item: TurnItem): Turn {
  return { ...turn, items: [...turn.items, item] };
}

export function addNotice(state: SessionState, turnId: string | undefined, notice: Notice): SessionState {
  return updateTurn(state, turnId, (turn) => addItem(turn, { kind: 'notice', ...notice }));
}

interface TextChunk {
  readonly kind: 'text' | 'reasoning';
  readonly eventId: string;
  readonly partId: string;
  readonly offset: number;
  readonly text: string;
}

/** A chunk before the part's end overwrites from there; one behind it (a chunk between was rejected) is put at the end. */
export function appendText(turn: Turn, { kind, eventId, partId, offset, text }: TextChunk): Turn {
  const index = turn.items.findLastIndex((item) => item.kind === kind && item.partId === partId);
  const item = turn.items[index];
  if (item?.kind !== kind) return addItem(turn, { kind, id: eventId, partId, text });
  return { ...turn, items: turn.items.with(index, { ...item, text: item.text.slice(0, offset) + text }) };
}

export interface ToolStart {
  readonly eventId: string;
  readonly toolCallId: string;
  readonly name: string;
  readonly title: string;
  readonly input: JsonRecord;
}

export function startTool(turn: Turn, { eventId, ...call }: ToolStart): Turn {
  return addItem(turn, { kind: 'tool', id: eventId, ...call, state: 'running', output: null, durationMs: null });
}

interface ToolChange {
  readonly state?: ToolOutcome;
  readonly output: ClippedText;
  readonly durationMs?: number;
}

/** Of the last call with that id which still runs; a call that has an outcome keeps it. */
export function changeTool(turn: Turn, toolCallId: string, change: ToolChange): Turn {
  const index = turn.items.findLastIndex((item) => isRunningTool(item) && item.toolCallId === toolCallId);
  const item = turn.items[index];
  if (item?.kind !== 'tool') return turn;
  return { ...turn, items: turn.items.with(index, { ...item, ...change }) };
}

/** A call without an outcome when its attempt ends did not get one. */
export function cancelRunningTools(items: readonly TurnItem[]): readonly TurnItem[] {
  if (!items.some(isRunningTool)) return items;
  return items.map((item) => (isRunningTool(item) ? { ...item, state: 'cancelled' as const } : item));
}

export function isRunningTool(item: TurnItem): item is ToolItem {
  return item.kind === 'tool' && item.state === 'running';
}

export function addUsage(totals: UsageTotals, more: UsageTotals): UsageTotals {
  return {
    inputTokens: totals.inputTokens + more.inputTokens,
    outputTokens: totals.outputTokens + more.outputTokens,
    cacheReadTokens: totals.cacheReadTokens + more.cacheReadTokens,
    cacheWriteTokens: totals.cacheWriteTokens + more.cacheWriteTokens,
    costUsd: totals.costUsd + more.costUsd,
  };
}
