import { MAX_TITLE_CHARS } from '@bullpen/contracts';
import type { EventOf, TurnOutcome } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { Decider } from '@bullpen/eventsourcing';

import { checkPrompt } from './prompt-text.js';
import { deletedSince, requireOpen, requireSameRequest } from './session.aggregate.js';
import type { OpenSession, RunningAttempt, SessionAggregate } from './session.aggregate.js';
import type { CommandOf, NewPrompt, SessionCommand } from './session.commands.js';
import { SANDBOX_FAILED, SESSION_DELETED, turnIdOf } from './session.events.js';
import type { Attempt, SessionCoreEvent } from './session.events.js';
import { editPrompt, moveTo, withdrawPrompt } from './waiting-prompts.js';

export const MAX_QUEUED_PROMPTS = 200;

export const sessionDecider: Decider<SessionAggregate, SessionCommand, SessionCoreEvent> = {
  initialState: () => ({ phase: 'none' }),
  decide: (command, state) => decide(command, state).map((event) => inItsTrace(event, state)),
  evolve,
};

/** A prompt that waited starts in the trace of the request that queued it, whatever lets it start. */
function inItsTrace(event: SessionCoreEvent, state: SessionAggregate): SessionCoreEvent {
  const traceparent = state.phase === 'open' && event.type === 'TurnStarted' ? state.traces[event.data.promptId] : undefined;
  return traceparent === undefined ? event : { ...event, traceparent };
}

function requireActive(state: OpenSession, sessionId: string): void {
  if (state.archived) throw new Rejection('session.archived', `The session ${sessionId} is archived: nothing runs in it. Unarchive it first.`, { sessionId });
}

/** @throws Rejection `title.empty`, `title.too-long` */
export function checkTitle(title: string): void {
  if (title.trim() === '') throw new Rejection('title.empty', 'The title is empty. Say what the session is to be called.');
  if (title.length <= MAX_TITLE_CHARS) return;
  const message = `The title has ${title.length} characters; at most ${MAX_TITLE_CHARS} are allowed.`;
  throw new Rejection('title.too-long', message, { limit: MAX_TITLE_CHARS });
}

function decide(command: SessionCommand, state: SessionAggregate): readonly SessionCoreEvent[] {
  switch (command.type) {
    case 'CreateSession':
      return createSession(command, state);
    case 'QueuePrompt':
      return queuePrompt(command, requireOpen(state, command));
    case 'CancelTurn':
      return cancelTurn(command, requireOpen(state, command));
    case 'RetryTurn':
      return retryTurn(command, requireOpen(state, command));
    case 'EndTurn':
      return endTurn(command, state);
    case 'EditPrompt':
      return editPrompt(command, requireOpen(state, command));
    case 'WithdrawPrompt':
      return withdrawPrompt(command, requireOpen(state, command));
    case 'RenameSession':
      return renameSession(command, requireOpen(state, command));
    case 'ArchiveSession':
      return archiveSession(command, requireOpen(state, command));
    case 'UnarchiveSession':
      return unarchiveSession(requireOpen(state, command));
    case 'DeleteSession':
      return deleteSession(requireOpen(state, command));
    case 'CloseLane':
      return state.phase === 'deleted' && !state.laneClosed ? [{ type: 'LaneClosed', data: {} }] : [];
  }
}

function createSession({ sessionId, session, prompt }: CommandOf<'CreateSession'>, state: SessionAggregate): readonly SessionCoreEvent[] {
  if (state.phase === 'deleted') throw deletedSince(sessionId);
  if (state.phase === 'open') {
    requireSameRequest(state.requestHash, session.requestHash, { sessionId });
    return [];
  }
  const created: SessionCoreEvent = { type: 'SessionCreated', data: session };
  if (!prompt) return [created];
  checkPrompt(prompt.text);
  return [created, promptQueued(prompt), turnStarted(prompt.promptId, 1)];
}

function queuePrompt({ sessionId, prompt }: CommandOf<'QueuePrompt'>, state: OpenSession): readonly SessionCoreEvent[] {
  const known = state.prompts[prompt.promptId];
  if (known !== undefined) {
    requireSameRequest(known, prompt.requestHash, { sessionId, promptId: prompt.promptId });
    return [];
  }
  requireActive(state, sessionId);
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
  return [requested, ...ended(running, startable(state), { outcome: 'cancelled', reason: null })];
}

/** Prompts that may start by themselves, in order. */
function startable({ archived, queue }: OpenSession): readonly string[] {
  return archived ? [] : queue;
}

function renameSession({ title }: CommandOf<'RenameSession'>, state: OpenSession): readonly SessionCoreEvent[] {
  checkTitle(title);
  return title === state.title ? [] : [{ type: 'SessionRenamed', data: { title } }];
}

/** What runs is cancelled: its agent ends the turn, and its sandbox is stopped. What waits stays in the queue. */
function archiveSession({ seen }: CommandOf<'ArchiveSession'>, state: OpenSession): readonly SessionCoreEvent[] {
  const { archived, running } = state;
  if (archived) return [];
  const agentHasIt = seen?.turnId === running?.turnId && seen?.attempt === running?.attempt && seen?.agentHasIt === true;
  return [
    ...(running ? cancelRequested(running) : []),
    ...(running && !agentHasIt ? ended(running, [], { outcome: 'cancelled', reason: null }) : []),
    { type: 'SessionArchived', data: {} },
  ];
}

function cancelRequested({ turnId, cancelRequested: isAlready }: RunningAttempt): readonly SessionCoreEvent[] {
  return isAlready ? [] : [{ type: 'TurnCancelRequested', data: { turnId } }];
}

function unarchiveSession({ archived, running, queue }: OpenSession): readonly SessionCoreEvent[] {
  if (!archived) return [];
  const next = running ? undefined : queue[0];
  const unarchived: SessionCoreEvent = { type: 'SessionUnarchived', data: {} };
  return next === undefined ? [unarchived] : [unarchived, turnStarted(next, 1)];
}

/** Nobody will say how the turn ended where it ran: its sandbox goes too. */
function deleteSession({ running }: OpenSession): readonly SessionCoreEvent[] {
  const deleted: SessionCoreEvent = { type: 'SessionDeleted', data: {} };
  if (!running) return [deleted];
  const reason = { code: SESSION_DELETED, message: 'The session was deleted.' };
  return [
    ...cancelRequested(running),
    ...ended(running, [], { outcome: 'cancelled', reason }),
    deleted,
  ];
}

function retryTurn({ sessionId, requestId }: CommandOf<'RetryTurn'>, state: OpenSession): readonly SessionCoreEvent[] {
  requireActive(state, sessionId);
  const { running, last } = state;
  if (running || last?.outcome !== 'failed' || state.requests.has(requestId)) return [];
  return [turnStarted(last.promptId, last.attempt + 1, requestId)];
}

function endTurn({ turnId, attempt, ending }: CommandOf<'EndTurn'>, state: SessionAggregate): readonly SessionCoreEvent[] {
  const running = state.phase === 'open' ? state.running : null;
  if (state.phase !== 'open' || running?.turnId !== turnId || running.attempt !== attempt) return [];
  return ended(running, startable(state), ending);
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

function evolve(state: SessionAggregate, event: SessionCoreEvent): SessionAggregate {
  if (event.type === 'SessionCreated') return opened(event.data);
  if (event.type === 'LaneClosed') return { phase: 'deleted', laneClosed: true };
  return state.phase === 'open' ? evolveOpen(state, event) : state;
}

function opened({ organisationId, requestHash, title }: EventOf<'SessionCreated'>['data']): OpenSession {
  const empty = { prompts: {}, traces: {}, requests: new Set<string>(), queue: [], withdrawn: [], running: null, last: null };
  return { phase: 'open', title, archived: false, organisationId, requestHash, ...empty };
}

function evolveOpen(state: OpenSession, event: Exclude<SessionCoreEvent, { type: 'SessionCreated' | 'LaneClosed' }>): SessionAggregate {
  switch (event.type) {
    case 'PromptQueued': {
      const { promptId, requestHash } = event.data;
      const traces = event.traceparent === undefined ? state.traces : { ...state.traces, [promptId]: event.traceparent };
      return { ...state, prompts: { ...state.prompts, [promptId]: requestHash }, traces, queue: [...state.queue, promptId] };
    }
    case 'TurnStarted': {
      const { turnId, promptId, attempt, requestId } = event.data;
      const queue = state.queue.filter((waiting) => waiting !== promptId);
      const requests = withRequest(state.requests, requestId);
      return { ...state, requests, queue, traces: withoutTrace(state.traces, promptId), running: { turnId, promptId, attempt, cancelRequested: false } };
    }
    case 'TurnCancelRequested': {
      const running = state.running && { ...state.running, cancelRequested: true };
      return { ...state, requests: withRequest(state.requests, event.data.requestId), running };
    }
    case 'TurnEnded':
      return endedState(state, event.data.outcome);
    case 'PromptEdited':
      return state;
    case 'PromptMoved':
      return { ...state, queue: moveTo(state.queue, event.data.promptId, event.data.before) };
    case 'PromptWithdrawn':
      return {
        ...state,
        queue: state.queue.filter((waiting) => waiting !== event.data.promptId),
        traces: withoutTrace(state.traces, event.data.promptId),
        withdrawn: [...state.withdrawn, event.data.promptId],
      };
    case 'SessionRenamed':
      return { ...state, title: event.data.title };
    case 'SessionArchived':
      return { ...state, archived: true };
    case 'SessionUnarchived':
      return { ...state, archived: false };
    case 'SessionDeleted':
      return { phase: 'deleted', laneClosed: false };
  }
  // A type that a newer build appended.
  return state;
}

function withRequest(requests: ReadonlySet<string>, requestId: string | undefined): ReadonlySet<string> {
  return requestId === undefined ? requests : new Set([...requests, requestId]);
}

function withoutTrace(traces: OpenSession['traces'], promptId: string): OpenSession['traces'] {
  return Object.fromEntries(Object.entries(traces).filter(([id]) => id !== promptId));
}

function endedState(state: OpenSession, outcome: TurnOutcome): OpenSession {
  if (!state.running) return state;
  const { turnId, promptId, attempt } = state.running;
  return { ...state, running: null, last: { turnId, promptId, attempt, outcome } };
}
