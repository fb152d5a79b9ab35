import type { SessionState, Turn, TurnItem } from './state.js';
import { isRunningTool } from './turns.js';

/** Closed rows before the last so many are left out of a snapshot. */
export const SNAPSHOT_ROWS = 200;

/**
 * The state as a snapshot carries it. A row is a turn's prompt or one of its items. Kept are the last SNAPSHOT_ROWS rows and,
 * wherever they stand, the open ones: the prompt of the turn that runs, its tool calls without an outcome, its last text and its
 * last reasoning part. Left out are all other rows: items first, then the turn with its prompt once none of its rows is kept; the
 * last turn always stays. Nothing else is cut: queue, totals, files, plan, sandbox, checkpoint and push are those of the complete
 * fold. `rowsOmitted` counts what is missing.
 *
 * Folding later events on a snapshot gives the same kept rows as folding them on the complete state.
 */
export function snapshotOf(state: SessionState): SessionState {
  const kept: Turn[] = [];
  let rowsLeft = SNAPSHOT_ROWS;
  let rowsOmitted = state.rowsOmitted;
  for (const turn of state.turns.toReversed()) {
    const isOpen = turn.turnId === state.runningTurnId;
    const items = keepItems(turn.items, rowsLeft, isOpen);
    rowsOmitted += turn.items.length - items.length;
    if (rowsLeft > 0 || isOpen || kept.length === 0) kept.push(items === turn.items ? turn : { ...turn, items });
    else rowsOmitted += 1;
    rowsLeft -= turn.items.length + 1;
  }
  return rowsOmitted === state.rowsOmitted ? state : { ...state, turns: kept.toReversed(), rowsOmitted };
}

function keepItems(items: readonly TurnItem[], rowsLeft: number, isOpen: boolean): readonly TurnItem[] {
  const firstKept = items.length - Math.max(0, rowsLeft);
  if (firstKept <= 0) return items;
  const lastText = items.findLastIndex((item) => item.kind === 'text');
  const lastReasoning = items.findLastIndex((item) => item.kind === 'reasoning');
  const stillGrows = (item: TurnItem, index: number) => isRunningTool(item) || index === lastText || index === lastReasoning;
  return items.filter((item, index) => index >= firstKept || (isOpen && stillGrows(item, index)));
}
