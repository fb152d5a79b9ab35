import { compareEventIds } from '@bullpen/session-model';
import type { SessionRow } from '@bullpen/sync-protocol';

/** What somebody has looked at in this browser. */
export interface Seen {
  /** When this browser first showed a list: what is older counts as seen. */
  readonly since: string;
  /** By session: the last event that was there to be seen; the latest looked at last. */
  readonly revs: Readonly<Record<string, string>>;
}

const MAX_SEEN = 500;

/** A session that came to rest since it was last looked at. What still runs tells of itself. Pure. */
export function isUnread({ id, rev, status, updatedAt }: SessionRow, seen: Seen): boolean {
  if (status !== 'idle' && status !== 'failed') return false;
  const last = seen.revs[id];
  return last === undefined ? updatedAt > seen.since : compareEventIds(rev, last) > 0;
}

/** Pure; the same when nothing is new. */
export function withSeen(seen: Seen, id: string, rev: string): Seen {
  const last = seen.revs[id];
  if (last !== undefined && compareEventIds(rev, last) <= 0) return seen;
  const others = Object.entries(seen.revs).filter(([other]) => other !== id);
  return { ...seen, revs: Object.fromEntries([...others.slice(1 - MAX_SEEN), [id, rev]]) };
}
