import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ulid } from 'ulid';

import { callApi } from '../../lib/api.js';

export interface NewSession {
  /** An id. */
  readonly repository: string;
  readonly prompt: string;
  readonly branch?: string;
  readonly agent?: string;
  readonly model?: string;
}

const STORAGE_KEY = 'bullpen.start';

/** Creates the session. What was asked and not answered keeps its key, over a reload too: asked again, it is the same session. */
export function useStartSession(onCreated: (sessionId: string) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (session: NewSession) => callApi<{ readonly id: string }>('POST', '/sessions', { body: session, idempotencyKey: keyFor(session) }),
    onSuccess: ({ id }) => {
      forgetKey();
      void queries.invalidateQueries({ queryKey: ['repositories'] });
      onCreated(id);
    },
  });
}

function keyFor(session: NewSession): string {
  const request = JSON.stringify(session);
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null') as { readonly key: string; readonly request: string } | null;
    if (kept?.request === request) return kept.key;
    const key = ulid();
    localStorage.setItem(STORAGE_KEY, JSON.stringify({ key, request }));
    return key;
  } catch {
    return ulid();
  }
}

function forgetKey(): void {
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Nothing was kept.
  }
}
