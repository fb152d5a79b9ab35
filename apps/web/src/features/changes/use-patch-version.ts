import { useState } from 'react';

import type { SessionState } from '@bullpen/session-model';

import { useSessionState } from '../../lib/session-context.js';

/** The turn is not among those that the page has: the platform is asked. */
const UNKNOWN = 'unknown';

export interface PatchVersion {
  /** Empty: there are no changes. */
  readonly version: string;
  /** A newer one came while this one is looked at. */
  readonly isStale: boolean;
  readonly refresh: () => void;
}

/** Somebody reads: a newer patch replaces theirs only when they ask, or when there was none. */
export function usePatchVersion(turnId: string | undefined): PatchVersion {
  const newest = useSessionState((state) => newestVersion(state, turnId));
  const [shown, setShown] = useState({ turnId, version: newest });
  const isOther = shown.turnId !== turnId || (shown.version === '' && newest !== '');
  if (isOther) setShown({ turnId, version: newest });
  const version = isOther ? newest : shown.version;
  return { version, isStale: version !== newest, refresh: () => setShown({ turnId, version: newest }) };
}

function newestVersion({ checkpoint, turns }: SessionState, turnId: string | undefined): string {
  if (turnId === undefined) return checkpoint?.patch.sha256 ?? '';
  const turn = turns.find((candidate) => candidate.turnId === turnId);
  return turn === undefined ? UNKNOWN : (turn.checkpoint?.turnPatch.sha256 ?? '');
}
