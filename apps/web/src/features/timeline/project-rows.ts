import type { SessionState } from '@bullpen/session-model';

import { projectTurn } from './project-turn.js';
import type { ProjectedTurn } from './project-turn.js';
import type { Row } from './rows.js';

/** What the rows are made of: a session, or one whose older part was loaded. */
export type TimelineSource = Pick<SessionState, 'turns' | 'rowsOmitted'>;

export interface ProjectedRows {
  readonly source: TimelineSource;
  readonly turns: ReadonlyMap<string, ProjectedTurn>;
  readonly rows: readonly Row[];
}

/**
 * The timeline as rows, oldest first. Given what it gave before, turns that are the same object are not looked at again, and every
 * row that says the same is the same object.
 */
export function projectRows(source: TimelineSource, previous: ProjectedRows | null): ProjectedRows {
  if (previous !== null && previous.source.turns === source.turns && previous.source.rowsOmitted === source.rowsOmitted) return previous;
  const turns = new Map(source.turns.map((turn) => [turn.turnId, projectTurn(turn, previous?.turns.get(turn.turnId) ?? null)]));
  const rows = source.turns.flatMap(({ turnId }) => turns.get(turnId)?.rows ?? []);
  return { source, turns, rows: source.rowsOmitted === 0 ? rows : [earlierRow(source, previous), ...rows] };
}

const EARLIER_KEY = 'earlier';

function earlierRow({ rowsOmitted }: TimelineSource, previous: ProjectedRows | null): Row {
  const old = previous?.rows[0];
  if (old?.kind === 'earlier' && old.omitted === rowsOmitted) return old;
  return { kind: 'earlier', key: EARLIER_KEY, turnId: '', omitted: rowsOmitted };
}

/** How much there is, shown or left out: grows only by what is new. */
export function countItems({ turns, rowsOmitted }: TimelineSource): number {
  return turns.reduce((count, turn) => count + 1 + turn.items.length, rowsOmitted);
}
