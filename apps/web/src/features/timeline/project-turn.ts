import type { Turn, TurnItem } from '@bullpen/session-model';

import { isSameRow } from './rows.js';
import type { NoticeRow, Row, ToolItem } from './rows.js';
import { splitText } from './text-blocks.js';
import type { SplitText } from './text-blocks.js';
import { runFrom } from './tool-groups.js';

/** Rows of the items `from` up to, without, `to`. */
interface Segment {
  readonly from: number;
  readonly to: number;
  readonly rows: readonly Row[];
  /** Of a text, for when more of it comes. */
  readonly split: SplitText | null;
}

export interface ProjectedTurn {
  readonly turn: Turn;
  readonly opening: readonly Row[];
  readonly segments: readonly Segment[];
  readonly closing: readonly Row[];
  readonly rows: readonly Row[];
}

/**
 * The rows of a turn. Only what changed since `previous` is made anew; every row that says the same is the same object.
 * Pure: without `previous`, equal rows come out.
 */
export function projectTurn(turn: Turn, previous: ProjectedTurn | null): ProjectedTurn {
  if (previous?.turn === turn) return previous;
  const opening = keepSame([promptRow(turn), ...conversationRows(turn)], previous?.opening ?? []);
  const segments = projectItems(turn, previous);
  const closing = keepSame(closingRows(turn), previous?.closing ?? []);
  return { turn, opening, segments, closing, rows: [...opening, ...segments.flatMap((segment) => segment.rows), ...closing] };
}

function projectItems(turn: Turn, previous: ProjectedTurn | null): readonly Segment[] {
  const { items } = turn;
  const known = previous?.segments ?? [];
  const segments = keptSegments(known, commonLength(items, previous?.turn.items ?? []));
  const kept = segments.length;
  let from = segments.at(-1)?.to ?? 0;
  while (from < items.length) {
    const segment = projectRun(turn, from, known[segments.length] ?? null);
    segments.push(segment);
    from = segment.to;
  }
  const before = known.slice(kept).flatMap((segment) => segment.rows);
  return segments.map((segment, index) => (index < kept ? segment : { ...segment, rows: keepSame(segment.rows, before) }));
}

/** Without the last of them: the item after it may join it, and a text that was open may now be whole. */
function keptSegments(segments: readonly Segment[], unchanged: number): Segment[] {
  const whole = segments.findIndex((segment) => segment.to > unchanged);
  return segments.slice(0, Math.max(0, (whole === -1 ? segments.length : whole) - 1));
}

function commonLength(items: readonly TurnItem[], before: readonly TurnItem[]): number {
  const end = Math.min(items.length, before.length);
  let length = 0;
  while (length < end && items[length] === before[length]) length += 1;
  return length;
}

function projectRun(turn: Turn, from: number, known: Segment | null): Segment {
  const run = runFrom(turn.items, from);
  const items = turn.items.slice(run.from, run.to);
  const [first] = items;
  if (first?.kind === 'text') return { ...run, ...projectText(turn, first, isStillOpen(turn, from), known?.split ?? null) };
  if (first?.kind === 'tool' && run.isGrouped) {
    const tools = items.filter((item) => item.kind === 'tool');
    return { ...run, rows: [{ kind: 'tools', key: `tools ${first.id}`, turnId: turn.turnId, tools }], split: null };
  }
  return { ...run, rows: items.flatMap((item, index) => itemRows(turn, item, isStillOpen(turn, from + index))), split: null };
}

function isStillOpen(turn: Turn, index: number): boolean {
  return turn.endedAt === null && index === turn.items.length - 1;
}

type TextItem = Extract<TurnItem, { kind: 'text' }>;

function projectText(turn: Turn, item: TextItem, isOpen: boolean, known: SplitText | null): Pick<Segment, 'rows' | 'split'> {
  const split = splitText(item.text, known);
  const rows = split.blocks.map((block, index) => ({
    kind: 'text' as const,
    key: `text ${item.id} ${index}`,
    turnId: turn.turnId,
    ...block,
    isOpen: isOpen && index === split.blocks.length - 1,
  }));
  return { split, rows };
}

function itemRows(turn: Turn, item: TurnItem, isOpen: boolean): readonly Row[] {
  const { turnId } = turn;
  switch (item.kind) {
    case 'text':
      return [];
    case 'reasoning':
      return item.text.trim() === '' ? [] : [{ kind: 'reasoning', key: `reasoning ${item.id}`, turnId, text: item.text, isOpen }];
    case 'tool':
      return [{ kind: 'tool', key: `tool ${item.id}`, turnId, tool: item }];
    case 'notice':
      return [{ kind: 'notice', key: `notice ${item.id}`, turnId, level: item.level, text: item.text }];
  }
}

function promptRow({ turnId, prompt, author, startedAt, attempt }: Turn): Row {
  return { kind: 'prompt', key: `turn ${turnId}`, turnId, prompt, author: author.name, at: startedAt, attempt };
}

const REBUILT = {
  resumed: 'A new agent took up the conversation where the last one left it.',
  replayed: 'A new agent read the conversation so far from its record.',
} as const;

function conversationRows({ turnId, conversation }: Turn): readonly NoticeRow[] {
  if (conversation !== 'resumed' && conversation !== 'replayed') return [];
  return [{ kind: 'notice', key: `conversation ${turnId}`, turnId, level: 'info', text: REBUILT[conversation] }];
}

function closingRows(turn: Turn): readonly Row[] {
  const { turnId, checkpoint, usage, state, startedAt, items } = turn;
  const rows: Row[] = [];
  if (checkpoint !== null && checkpoint.sha !== checkpoint.parent) rows.push({ kind: 'checkpoint', key: `checkpoint ${turnId}`, turnId, checkpoint, usage });
  const outcome = outcomeRow(turn);
  if (outcome !== null) rows.push(outcome);
  if (turn.endedAt === null) {
    const doing = items.findLast((item): item is ToolItem => item.kind === 'tool' && item.state === 'running')?.title ?? '';
    rows.push({ kind: 'running', key: `running ${turnId}`, turnId, state, since: startedAt, doing });
  }
  return rows;
}

/** Why a turn ended early; unless a notice of it has said so already. */
function outcomeRow({ turnId, state, reason, items }: Turn): NoticeRow | null {
  if (state !== 'failed' && state !== 'cancelled') return null;
  const text = reason?.message ?? (state === 'failed' ? 'The turn failed.' : 'The turn was stopped.');
  if (items.some((item) => item.kind === 'notice' && item.level === 'error' && item.text.startsWith(text))) return null;
  return { kind: 'notice', key: `outcome ${turnId}`, turnId, level: state === 'failed' ? 'error' : 'info', text };
}

function keepSame(rows: readonly Row[], before: readonly Row[]): readonly Row[] {
  if (before.length === 0) return rows;
  const known = new Map(before.map((row) => [row.key, row]));
  return rows.map((row) => {
    const old = known.get(row.key);
    return old !== undefined && isSameRow(row, old) ? old : row;
  });
}
