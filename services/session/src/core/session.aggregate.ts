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
export function requireOpen(state: SessionAggregate, organisationId: string): OpenSession {
  if (state.phase === 'open' && state.organisationId === organisationId) return state;
  throw notFound();
}

export function notFound(): Rejection {
  return new Rejection('session.not-found', 'There is no such session. Check its id, or list the sessions there are.');
}

/** 0: its turn has started; otherwise its place in the queue, from 1. */
export function queuePosition(state: SessionAggregate, promptId: string): number {
  return state.phase === 'open' ? state.queue.indexOf(promptId) + 1 : 0;
}

/** Whether a cancel or a retry under this id has been decided on. */
export function isRequestDone(state: SessionAggregate, requestId: string): boolean {
  return state.phase === 'open' && state.requests.has(requestId);
}
