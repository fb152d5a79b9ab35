import type { SessionFilter, SessionRow } from '@bullpen/sync-protocol';

import { callApi } from '../../lib/api.js';

export interface SessionsPage {
  readonly sessions: readonly SessionRow[];
  readonly nextCursor: string | null;
  /** The answer does not include `after` yet. */
  readonly stale: boolean;
}

export interface PageRequest {
  readonly filter: SessionFilter;
  readonly limit: number;
  readonly cursor?: string;
  readonly after?: string;
  readonly signal: AbortSignal;
}

export function listSessions({ filter, limit, cursor, after, signal }: PageRequest): Promise<SessionsPage> {
  const given = Object.entries({ ...filter, cursor, after }).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '');
  return callApi('GET', `/sessions?${new URLSearchParams([...given, ['limit', String(limit)]])}`, { signal });
}
