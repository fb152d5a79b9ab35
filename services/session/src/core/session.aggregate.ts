import type { TurnOutcome } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import type { Attempt } from './session.events.js';

/** What deciding needs of a session; what a person sees is the fold of libs/session-model. */
export type SessionAggregate =
  | { readonly phase: 'none' }
  /** Nothing is known of it any more but that it was. */
  | { readonly phase: 'deleted'; readonly laneClosed: boolean }
  | {
      readonly phase: 'open';
      readonly title: string;
      /** Nothing may run. */
      readonly archived: boolean;
      readonly organisationId: string;
      readonly requestHash: string;
      /** Request hash by prompt id, of every prompt ever queued. */
      readonly prompts: Readonly<Record<string, string>>;
      /** Trace context by prompt id, of those that wait. */
      readonly traces: Readonly<Record<string, string>>;
      /** Request ids of cancels and retries that are done. */
      readonly requests: ReadonlySet<string>;
      /** Prompt ids that wait, in order. */
      readonly queue: readonly string[];
      readonly withdrawn: readonly string[];
      readonly running: RunningAttempt | null;
      /** The attempt that ended last. */
      readonly last: EndedAttempt | null;
    };
export type OpenSession = Extract<SessionAggregate, { phase: 'open' }>;

export interface RunningAttempt extends Attempt {
  readonly cancelRequested: boolean;
}

interface EndedAttempt extends Attempt {
  readonly outcome: TurnOutcome;
}

/** @throws Rejection `session.not-found`, also when the session is another organisation's: existence is not told either */
export function requireOpen(
  state: SessionAggregate,
  { organisationId, sessionId }: { readonly organisationId: string; readonly sessionId: string },
): OpenSession {
  if (state.phase === 'open' && state.organisationId === organisationId) return state;
  throw notFound(sessionId);
}

export function notFound(sessionId: string): Rejection {
  return new Rejection('session.not-found', `There is no session ${sessionId}. Check its id, or list the sessions there are.`, { sessionId });
}

/** Of a request to create it that is repeated under its key. */
export function deletedSince(sessionId: string): Rejection {
  const message = `The session ${sessionId}, which was created under this Idempotency-Key, was deleted. Use a new key for a new session.`;
  return new Rejection('session.not-found', message, { sessionId });
}

/** @throws Rejection `idempotency.mismatch` unless both are the hash of one request */
export function requireSameRequest(known: string, given: string, made: { readonly sessionId: string; readonly promptId?: string }): void {
  if (known === given) return;
  const what = made.promptId === undefined ? `session ${made.sessionId}` : `prompt ${made.promptId} of session ${made.sessionId}`;
  const message = `This Idempotency-Key was used for another request: it made ${what}. Use a new key for a new request.`;
  throw new Rejection('idempotency.mismatch', message, made);
}

/** 0: its turn has started; otherwise its place in the queue, from 1. */
export function queuePosition(state: SessionAggregate, promptId: string): number {
  return state.phase === 'open' ? state.queue.indexOf(promptId) + 1 : 0;
}

/** Whether a cancel or a retry under this id has been decided on. */
export function isRequestDone(state: SessionAggregate, requestId: string): boolean {
  return state.phase === 'open' && state.requests.has(requestId);
}
