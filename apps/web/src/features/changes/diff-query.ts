import { queryOptions } from '@tanstack/react-query';

import { readText } from '../../lib/api.js';
import { patchFiles } from './patch-files.js';

/** A page keeps few: patches may be large. */
const KEPT_MS = 60_000;

export interface DiffKey {
  readonly sessionId: string;
  /** Null for the whole session. */
  readonly turnId: string | null;
  /** Which one of the patches that there were by and by; another one is asked for anew. */
  readonly version: string;
}

/** The files of `GET /sessions/:id/diff`. */
export function diffQuery({ sessionId, turnId, version }: DiffKey) {
  const turn = turnId === null ? '' : `?turn=${encodeURIComponent(turnId)}`;
  return queryOptions({
    queryKey: ['diff', sessionId, turnId, version],
    queryFn: async ({ signal }) => patchFiles(await readText(`/sessions/${encodeURIComponent(sessionId)}/diff${turn}`, signal)),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: KEPT_MS,
    structuralSharing: false,
  });
}
