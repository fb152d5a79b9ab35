import type { SessionRow } from '@bullpen/sync-protocol';

const NAMES = {
  attention: 'Needs you',
  running: 'Running',
  review: 'Ready for review',
  earlier: 'Earlier',
  archived: 'Archived',
} as const;
export type GroupKey = keyof typeof NAMES;

export interface ListGroup {
  readonly key: GroupKey;
  readonly name: string;
  readonly rows: readonly SessionRow[];
}

/** By what a person has to do about them; groups without sessions are left out. Pure. */
export function groupRows(rows: Iterable<SessionRow>): readonly ListGroup[] {
  const all = [...rows];
  return (Object.keys(NAMES) as GroupKey[]).flatMap((key) => {
    const members = all.filter((row) => groupOf(row) === key).toSorted(key === 'running' ? newestFirst : latestFirst);
    return members.length === 0 ? [] : [{ key, name: NAMES[key], rows: members }];
  });
}

function groupOf(row: SessionRow): GroupKey {
  if (row.status === 'archived') return 'archived';
  if (row.attention) return 'attention';
  if (row.status === 'running' || row.status === 'queued') return 'running';
  return row.filesChanged > 0 ? 'review' : 'earlier';
}

/** What runs changes all the time, and would change places with it. */
function newestFirst(left: SessionRow, right: SessionRow): number {
  return right.createdAt.localeCompare(left.createdAt) || right.id.localeCompare(left.id);
}

function latestFirst(left: SessionRow, right: SessionRow): number {
  return right.updatedAt.localeCompare(left.updatedAt) || right.id.localeCompare(left.id);
}
