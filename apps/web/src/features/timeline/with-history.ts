import { compareEventIds } from '@bullpen/session-model';
import type { Turn, TurnItem } from '@bullpen/session-model';

import type { TimelineSource } from './project-rows.js';

/**
 * The live session with the older part that was loaded put before it. Where both have a turn or an item, the live one counts.
 * `rowsOmitted` is what still is missing: after a long absence the live part may begin behind the end of what was loaded.
 */
export function withHistory(live: TimelineSource, history: readonly Turn[]): TimelineSource {
  if (live.rowsOmitted === 0 || history.length === 0) return live;
  const liveTurns = new Map(live.turns.map((turn) => [turn.turnId, turn]));
  const older = history.map((turn) => joinTurn(turn, liveTurns.get(turn.turnId)));
  const known = new Set(history.map((turn) => turn.turnId));
  const turns = [...older, ...live.turns.filter((turn) => !known.has(turn.turnId))];
  return { turns, rowsOmitted: Math.max(0, live.rowsOmitted - (countRows(turns) - countRows(live.turns))) };
}

/** A finished turn comes out as the same object each time. */
const joined = new WeakMap<Turn, { readonly old: Turn; readonly turn: Turn }>();

function joinTurn(old: Turn, live: Turn | undefined): Turn {
  if (live === undefined) return old;
  const before = joined.get(live);
  if (before?.old === old) return before.turn;
  const items = joinItems(old.items, live.items);
  const turn = items === live.items ? live : { ...live, items };
  joined.set(live, { old, turn });
  return turn;
}

/** Ids are those of events: their order is that of the items. */
function joinItems(old: readonly TurnItem[], live: readonly TurnItem[]): readonly TurnItem[] {
  const liveIds = new Set(live.map((item) => item.id));
  const missing = old.filter((item) => !liveIds.has(item.id));
  if (missing.length === 0) return live;
  return [...missing, ...live].toSorted((one, other) => compareEventIds(one.id, other.id));
}

function countRows(turns: readonly Turn[]): number {
  return turns.reduce((count, turn) => count + 1 + turn.items.length, 0);
}
