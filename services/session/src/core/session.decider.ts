import { MAX_PROMPT_BYTES } from '@bullpen/contracts';
import type { TurnOutcome } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { Decider } from '@bullpen/eventsourcing';

import type { CommandOf, NewPrompt, SessionCommand } from './session.commands.js';
import { SANDBOX_FAILED, turnIdOf } from './session.events.js';
import type { Attempt, SessionCoreEvent } from './session.events.js';

export const MAX_QUEUED_PROMPTS = 200;

/** What deciding needs of a session; what a person sees is the fold of libs/session-model. */
export type SessionAggregate =
  | { readonly phase: 'none' }
  | {
      readonly phase: 'open';
      readonly organisationId: string;
      readonly requestHash: string;
      /** Request hash by prompt id, of every prompt ever queued. */
      readonly prompts: Readonly<Record<string, string>>;
      /** Request ids of cancels and retries that are done. */
      readonly requests: ReadonlySet<string>;
      /** Prompt ids that wait, in order. */
      readonly queue: readonly string[];
      readonly running: RunningAttempt | null;
      /** The attempt that ended last. */
      readonly last: EndedAttempt | null;
    };
export type OpenSession = Extract<SessionAggregate, { phase: 'open' }>;

interface RunningAttempt extends Attempt {
  readonly cancelRequested: boolean;
}

interface EndedAttempt extends Attempt {
  readonly outcome: TurnOutcome;
}

export const sessionDecider: Decider<SessionAggregate, SessionCommand, SessionCoreEvent> = {
  initialState: () => ({ phase: 'none' }),
  decide,
  evolve,
};

/** @throws Rejection `session.not-found`, also when the session is another organisation's: existence is not told either */
export function requireOpen(state: SessionAggregate, organisationId: string): OpenSession {
  if (state.phase === 'open' && state.organisationId === organisationId) return state;
  throw new Rejection('session.not-found', 'There is no such session. Check its id, or list the sessions there are.');
}

/** 0: its turn has started; otherwise its place in the queue, from 1. */
export function queuePosition(state: SessionAggregate, promptId: string): number {
  return state.phase === 'open' ? state.queue.indexOf(promptId) + 1 : 0;
}

/** Whether a cancel or a retry under this id has been decided on. */
export function isRequestDone(state: SessionAggregate, requestId: string): boolean {
  return state.phase === 'open' && state.requests.has(requestId);
}

/** @throws Rejection `prompt.empty`, `prompt.too-large` */
export function checkPrompt(text: string): void {
  if (text.trim() === '') throw new Rejection('prompt.empty', 'The prompt is empty. Say what is to be done.');
  const bytes = new TextEncoder().encode(text).length;
  if (bytes <= MAX_PROMPT_BYTES) return;
  throw new Rejection('prompt.too-large', `The prompt has ${bytes} bytes; at most ${MAX_PROMPT_BYTES} are allowed. Put the rest into a file.`, {
    bytes,
    limit: MAX_PROMPT_BYTES,
  });
}

function decide(command: SessionCommand, state: SessionAggregate): readonly SessionCoreEvent[] {
  switch (command.type) {
    case 'CreateSession':
      return createSession(command, state);
    case 'QueuePrompt':
      return queuePrompt(command, requireOpen(state, command.organisationId));
    case 'CancelTurn':
      return cancelTurn(command, requireOpen(state, command.organisationId));
    case 'RetryTurn':
      return retryTurn(command, requireOpen(state, command.organisationId));
    case 'EndTurn':
      return endTurn(command, state);
  }
}

function createSession({ session, prompt }: CommandOf<'CreateSession'>, state: SessionAggregate): readonly SessionCoreEvent[] {
  if (state.phase === 'open') {
    requireSameRequest(state.requestHash, session.requestHash);
    return [];
  }
  const created: SessionCoreEvent = { type: 'SessionCreated', data: session };
  if (!prompt) return [created];
  checkPrompt(prompt.text);
  return [created, promptQueued(prompt), turnStarted(prompt.promptId, 1)];
}

function queuePrompt({ prompt }: CommandOf<'QueuePrompt'>, state: OpenSession): readonly SessionCoreEvent[] {
  const known = state.prompts[prompt.promptId];
  if (known !== undefined) {
    requireSameRequest(known, prompt.requestHash);
    return [];
  }
  checkPrompt(prompt.text);
  if (state.queue.length >= MAX_QUEUED_PROMPTS) {
    throw new Rejection('queue.full', `${MAX_QUEUED_PROMPTS} prompts wait already. Queue more once some have run.`, {
      limit: MAX_QUEUED_PROMPTS,
    });
  }
  // A queue that stands still (no sandbox could be had) goes on from its front.
  const next = state.queue[0] ?? prompt.promptId;
  return state.running ? [promptQueued(prompt)] : [promptQueued(prompt), turnStarted(next, 1)];
}

function cancelTurn({ requestId, seen }: CommandOf<'CancelTurn'>, state: OpenSession): readonly SessionCoreEvent[] {
  const { running } = state;
  if (!running || running.cancelRequested || state.requests.has(requestId)) return [];
  if (seen?.turnId !== running.turnId || seen.attempt !== running.attempt) return [];
  const requested: SessionCoreEvent = { type: 'TurnCancelRequested', data: { turnId: running.turnId, requestId } };
  if (seen.agentHasIt) return [requested];
  // No agent that could answer: nobody else would end it. One that begins at this moment is told to stop by its orchestrator.
  return [requested, ...ended(running, state.queue, { outcome: 'cancelled', reason: null })];
}

function retryTurn({ requestId }: CommandOf<'RetryTurn'>, state: OpenSession): readonly SessionCoreEvent[] {
  const { running, last } = state;
  if (running || last?.outcome !== 'failed' || state.requests.has(requestId)) return [];
  return [turnStarted(last.promptId, last.attempt + 1, requestId)];
}

function endTurn({ turnId, attempt, ending }: CommandOf<'EndTurn'>, state: SessionAggregate): readonly SessionCoreEvent[] {
  const running = state.phase === 'open' ? state.running : null;
  if (state.phase === 'none' || running?.turnId !== turnId || running.attempt !== attempt) return [];
  return ended(running, state.queue, ending);
}

function ended(attempt: Attempt, queue: readonly string[], ending: CommandOf<'EndTurn'>['ending']): readonly SessionCoreEvent[] {
  const { turnId } = attempt;
  const { outcome, reason } = ending;
  const end: SessionCoreEvent = {
    type: 'TurnEnded',
    data: { turnId, attempt: attempt.attempt, outcome, ...(reason ? { reason } : {}) },
  };
  const next = reason?.code === SANDBOX_FAILED ? undefined : queue[0];
  return next === undefined ? [end] : [end, turnStarted(next, 1)];
}

function promptQueued({ promptId, text, author, requestHash }: NewPrompt): SessionCoreEvent {
  return { type: 'PromptQueued', data: { promptId, text, author, requestHash } };
}

function turnStarted(promptId: string, attempt: number, requestId?: string): SessionCoreEvent {
  const data = { turnId: turnIdOf(promptId), promptId, attempt };
  return { type: 'TurnStarted', data: requestId === undefined ? data : { ...data, requestId } };
}

function requireSameRequest(known: string, given: string): void {
  if (known === given) return;
  throw new Rejection('idempotency.mismatch', 'This Idempotency-Key was used for another request. Use a new key for a new request.');
}

function evolve(state: SessionAggregate, event: SessionCoreEvent): SessionAggregate {
  if (event.type === 'SessionCreated') return opened(event.data);
  return state.phase === 'open' ? evolveOpen(state, event) : state;
}

function opened({ organisationId, requestHash }: { organisationId: string; requestHash: string }): OpenSession {
  return { phase: 'open', organisationId, requestHash, prompts: {}, requests: new Set(), queue: [], running: null, last: null };
}

function evolveOpen(state: OpenSession, event: Exclude<SessionCoreEvent, { type: 'SessionCreated' }>): OpenSession {
  switch (event.type) {
    case 'PromptQueued': {
      const { promptId, requestHash } = event.data;
      return { ...state, prompts: { ...state.prompts, [promptId]: requestHash }, queue: [...state.queue, promptId] };
    }
    case 'TurnStarted': {
      const { turnId, promptId, attempt, requestId } = event.data;
      const queue = state.queue.filter((waiting) => waiting !== promptId);
      const requests = withRequest(state.requests, requestId);
      return { ...state, requests, queue, running: { turnId, promptId, attempt, cancelRequested: false } };
    }
    case 'TurnCancelRequested': {
      const running = state.running && { ...state.running, cancelRequested: true };
      return { ...state, requests: withRequest(state.requests, event.data.requestId), running };
    }
    case 'TurnEnded':
      return endedState(state, event.data.outcome);
  }
  // A type that a newer build appended.
  return state;
}

function withRequest(requests: ReadonlySet<string>, requestId: string | undefined): ReadonlySet<string> {
  return requestId === undefined ? requests : new Set([...requests, requestId]);
}

function endedState(state: OpenSession, outcome: TurnOutcome): OpenSession {
  if (!state.running) return state;
  const { turnId, promptId, attempt } = state.running;
  return { ...state, running: null, last: { turnId, promptId, attempt, outcome } };
}
