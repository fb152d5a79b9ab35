import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { QueryClient } from '@tanstack/react-query';

import type { SessionEvent } from '@bullpen/contracts';
import { evolveSession, initialSessionState } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';

import { callApi } from '../../lib/api.js';

const PAGE_EVENTS = 1_000;
/** Folding stops for the screen this often: half a frame. */
const SLICE_MS = 8;
const EVENTS_BETWEEN_LOOKS = 50;

export interface History {
  readonly epoch: string;
  readonly state: SessionState;
}

interface EventPage {
  readonly epoch: string;
  readonly events: readonly SessionEvent[];
  readonly more: boolean;
}

const historyKey = (sessionId: string) => ['history', sessionId] as const;

/** All of a session from its first event on, fetched when asked for; asked again, it goes on from where it ended. */
export function useHistory(sessionId: string) {
  const queries = useQueryClient();
  return useQuery({
    queryKey: historyKey(sessionId),
    queryFn: ({ signal }) => loadHistory(queries, sessionId, signal),
    enabled: false,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });
}

async function loadHistory(queries: QueryClient, sessionId: string, signal: AbortSignal): Promise<History> {
  let history = queries.getQueryData<History>(historyKey(sessionId)) ?? { epoch: '', state: initialSessionState(sessionId) };
  for (;;) {
    const page = await callApi<EventPage>('GET', `/sessions/${sessionId}/events?after=${history.state.head}&limit=${PAGE_EVENTS}`, { signal });
    const isReplaced = history.epoch !== '' && history.epoch !== page.epoch;
    // Another epoch is another log: what was read of the old one is worth nothing.
    history = isReplaced
      ? { epoch: page.epoch, state: initialSessionState(sessionId) }
      : { epoch: page.epoch, state: await foldInSlices(history.state, page.events, signal) };
    if (!isReplaced && !page.more) return history;
  }
}

async function foldInSlices(state: SessionState, events: readonly SessionEvent[], signal: AbortSignal): Promise<SessionState> {
  let folded = state;
  let sliceEnd = performance.now() + SLICE_MS;
  for (const [index, event] of events.entries()) {
    folded = evolveSession(folded, event);
    if (index % EVENTS_BETWEEN_LOOKS !== 0 || performance.now() < sliceEnd) continue;
    await pause();
    signal.throwIfAborted();
    sliceEnd = performance.now() + SLICE_MS;
  }
  return folded;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
