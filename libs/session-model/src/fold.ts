import { isKnownEvent } from '@bullpen/contracts';
import type { CoreEventData, KnownSessionEvent, SandboxEventData, SessionEvent, SessionStatus } from '@bullpen/contracts';

import { compareEventIds } from './event-id.js';
import { NO_SANDBOX, enterStage, failSpawn, requestSandbox, startGeneration } from './sandbox.js';
import type { QueuedPrompt, SessionState, Turn } from './state.js';
import {
  NO_USAGE,
  addItem,
  addNotice,
  addUsage,
  appendText,
  cancelRunningTools,
  changeTool,
  startTool,
  turnIdOf,
  updateTurn,
} from './turns.js';

/** A session before its first event. */
export function initialSessionState(sessionId: string): SessionState {
  return {
    sessionId,
    head: '0',
    title: '',
    status: 'idle',
    archived: false,
    deleted: false,
    repository: null,
    branch: '',
    agent: '',
    model: '',
    modelProvider: 'scripted',
    createdAt: '',
    updatedAt: '',
    turns: [],
    rowsOmitted: 0,
    queue: [],
    runningTurnId: null,
    sandbox: NO_SANDBOX,
    files: [],
    filesTotal: 0,
    plan: [],
    usage: NO_USAGE,
    checkpoint: null,
    push: null,
  };
}

/**
 * The next state. Pure; what did not change keeps its identity, so finished turns compare by reference.
 *
 * Order: events must come in the order of their ids. Repeats: an event at or below `state.head` changes nothing, and the same
 * state comes back. Failure: never throws; a type that this build does not know, and data that it cannot read, become a notice
 * in the current turn.
 */
export function evolveSession(state: SessionState, event: SessionEvent): SessionState {
  if (compareEventIds(event.id, state.head) <= 0) return state;
  const next = readEvent(state, event);
  return { ...next, head: event.id, updatedAt: event.at, status: statusOf(next) };
}

/** The complete fold of a session's events, in any number of batches, from its first event on. */
export function foldSession(sessionId: string, events: Iterable<SessionEvent>): SessionState {
  let state = initialSessionState(sessionId);
  for (const event of events) state = evolveSession(state, event);
  return state;
}

function statusOf(state: SessionState): SessionStatus {
  if (state.archived || state.deleted) return 'archived';
  const running = state.turns.findLast((turn) => turn.turnId === state.runningTurnId);
  if (running?.state === 'running' || running?.state === 'cancelling') return 'running';
  if (running !== undefined || state.queue.length > 0) return 'queued';
  return state.turns.at(-1)?.state === 'failed' ? 'failed' : 'idle';
}

function readEvent(state: SessionState, event: SessionEvent): SessionState {
  if (!isKnownEvent(event)) {
    return addNotice(state, turnIdOf(state, event.turnId), {
      id: event.id,
      level: 'info',
      code: 'event.unknown',
      text: `unknown event ${event.type}: a newer Bullpen wrote it`,
    });
  }
  try {
    return apply(state, event);
  } catch {
    return addNotice(state, turnIdOf(state, event.turnId), {
      id: event.id,
      level: 'warning',
      code: 'event.unreadable',
      text: `event ${event.type} could not be read`,
    });
  }
}

function apply(state: SessionState, event: KnownSessionEvent): SessionState {
  switch (event.type) {
    case 'SessionCreated':
      return createSession(state, event.data, event.at);
    case 'SessionRenamed':
      return { ...state, title: event.data.title };
    case 'SessionArchived':
      return { ...state, archived: true };
    case 'SessionUnarchived':
      return { ...state, archived: false };
    case 'SessionDeleted':
      return { ...state, deleted: true };
    case 'PromptQueued':
    case 'PromptEdited':
    case 'PromptMoved':
    case 'PromptWithdrawn':
      return { ...state, queue: changeQueue(state.queue, event) };
    case 'TurnStarted':
    case 'TurnCancelRequested':
    case 'TurnEnded':
      return applyTurn(state, event);
    case 'SandboxRequested':
    case 'SandboxStageEntered':
    case 'SandboxSpawnFailed':
    case 'SandboxLost':
    case 'SandboxStopped':
    case 'GenerationStarted':
      return applySandbox(state, event);
    case 'AgentStarted':
    case 'AssistantTextAppended':
    case 'ReasoningAppended':
    case 'ToolCallStarted':
    case 'ToolCallProgressed':
    case 'ToolCallCompleted':
    case 'UsageReported':
      return applyAgent(state, event);
    case 'AgentNoticed':
      return addNotice(state, turnIdOf(state, event.turnId), { id: event.id, code: 'agent.noticed', ...event.data });
    case 'PlanUpdated':
    case 'FilesChanged':
    case 'CheckpointCreated':
    case 'BranchPushed':
    case 'BranchPushFailed':
      return applyWork(state, event);
    case 'FrameRejected':
    case 'AgentFailed':
      return applyFailure(state, event);
    // The session service says so with TurnEnded.
    case 'AgentTurnFinished':
    case 'RepositoryAdded':
    case 'RepositoryRemoved':
      return state;
    case 'LaneClosed':
      return { ...state, deleted: true };
  }
}

type Known<T extends KnownSessionEvent['type']> = Extract<KnownSessionEvent, { type: T }>;

function createSession(state: SessionState, data: CoreEventData['SessionCreated'], at: string): SessionState {
  const { title, repository, branch, agent, model, modelProvider } = data;
  return { ...state, title, repository, branch, agent, model, modelProvider, createdAt: at };
}

function applyTurn(
  state: SessionState,
  event: Known<'TurnStarted' | 'TurnCancelRequested' | 'TurnEnded'>,
): SessionState {
  switch (event.type) {
    case 'TurnStarted':
      return startTurn(state, event);
    case 'TurnCancelRequested':
      return updateTurn(state, event.data.turnId, (turn) => (isOpen(turn) ? { ...turn, state: 'cancelling' } : turn));
    case 'TurnEnded':
      return endTurn(state, event.data, event.at);
  }
}

function changeQueue(
  queue: readonly QueuedPrompt[],
  event: Known<'PromptQueued' | 'PromptEdited' | 'PromptMoved' | 'PromptWithdrawn'>,
): readonly QueuedPrompt[] {
  const { promptId } = event.data;
  const others = queue.filter((prompt) => prompt.promptId !== promptId);
  switch (event.type) {
    case 'PromptQueued': {
      const { text, author } = event.data;
      return [...queue, { promptId, text, author, queuedAt: event.at }];
    }
    case 'PromptEdited':
      return queue.map((prompt) => (prompt.promptId === promptId ? { ...prompt, text: event.data.text } : prompt));
    case 'PromptMoved': {
      const moved = queue.filter((prompt) => prompt.promptId === promptId);
      const place = others.findIndex((prompt) => prompt.promptId === event.data.before);
      return others.toSpliced(place === -1 ? others.length : place, 0, ...moved);
    }
    case 'PromptWithdrawn':
      return others;
  }
}

function startTurn(state: SessionState, event: Known<'TurnStarted'>): SessionState {
  const { turnId, promptId, attempt } = event.data;
  const started = { ...state, runningTurnId: turnId, queue: state.queue.filter((prompt) => prompt.promptId !== promptId) };
  if (state.turns.some((turn) => turn.turnId === turnId)) {
    return updateTurn(started, turnId, (turn) => retryTurn(turn, event));
  }
  const prompt = state.queue.find((queued) => queued.promptId === promptId);
  const turn: Turn = {
    turnId,
    promptId,
    prompt: prompt?.text ?? '',
    author: prompt?.author ?? { name: event.actor.name, email: '' },
    attempt,
    state: 'starting',
    conversation: null,
    reason: null,
    startedAt: event.at,
    endedAt: null,
    items: [],
    usage: NO_USAGE,
    checkpoint: null,
  };
  return { ...started, turns: [...started.turns, turn] };
}

/** What the attempt before did, and why it ended, stays readable. */
function retryTurn(turn: Turn, event: Known<'TurnStarted'>): Turn {
  const why = turn.reason === null ? '' : `: ${turn.reason.message}`;
  return {
    ...addItem(turn, {
      kind: 'notice',
      id: event.id,
      level: 'warning',
      code: turn.reason?.code ?? 'turn.retried',
      text: `Attempt ${turn.attempt} ended${why}`,
    }),
    attempt: event.data.attempt,
    state: 'starting',
    conversation: null,
    reason: null,
    startedAt: event.at,
    endedAt: null,
  };
}

function endTurn(state: SessionState, data: CoreEventData['TurnEnded'], at: string): SessionState {
  const ended = updateTurn(state, data.turnId, (turn) =>
    turn.attempt === data.attempt && isOpen(turn)
      ? { ...turn, state: data.outcome, reason: data.reason ?? null, endedAt: at, items: cancelRunningTools(turn.items) }
      : turn,
  );
  return ended !== state && state.runningTurnId === data.turnId ? { ...ended, runningTurnId: null } : ended;
}

function isOpen(turn: Turn): boolean {
  return turn.endedAt === null;
}

type SandboxEvent = Known<keyof SandboxEventData | 'GenerationStarted'>;

function applySandbox(state: SessionState, event: SandboxEvent): SessionState {
  const { sandbox } = state;
  switch (event.type) {
    case 'SandboxRequested':
      return { ...state, sandbox: requestSandbox(sandbox, event.data, event.at) };
    case 'SandboxStageEntered':
      return { ...state, sandbox: enterStage(sandbox, { ...event.data, reason: event.data.reason ?? null }) };
    case 'SandboxSpawnFailed':
      return noteSpawnFailure({ ...state, sandbox: failSpawn(sandbox, event.data) }, event);
    case 'SandboxLost':
      return loseSandbox(state, event);
    case 'SandboxStopped':
      return { ...state, sandbox: enterStage(sandbox, { ...event.data, stage: 'stopped', startedAt: event.at }) };
    case 'GenerationStarted':
      return { ...state, sandbox: startGeneration(sandbox, event.data.generation, event.data.sandboxId) };
  }
}

function noteSpawnFailure(state: SessionState, { id, turnId, data }: Known<'SandboxSpawnFailed'>): SessionState {
  const final = data.retryAt === '';
  return addNotice(state, turnIdOf(state, turnId), {
    id,
    level: final ? 'error' : 'warning',
    code: data.reason.code,
    text: `The sandbox did not start (attempt ${data.attempt}): ${data.reason.message}${final ? '' : ' Trying again.'}`,
  });
}

function loseSandbox(state: SessionState, { id, at, turnId, data }: Known<'SandboxLost'>): SessionState {
  const lost = enterStage(state.sandbox, { ...data, stage: 'lost', startedAt: at });
  const sandbox = lost === state.sandbox ? lost : { ...lost, logTail: data.logTail };
  return addNotice({ ...state, sandbox }, turnIdOf(state, data.turnId || turnId), {
    id,
    level: data.turnId === '' ? 'warning' : 'error',
    code: data.reason.code,
    text: data.reason.message,
  });
}

type AgentProgress = Known<
  | 'AgentStarted'
  | 'AssistantTextAppended'
  | 'ReasoningAppended'
  | 'ToolCallStarted'
  | 'ToolCallProgressed'
  | 'ToolCallCompleted'
  | 'UsageReported'
>;

function applyAgent(state: SessionState, event: AgentProgress): SessionState {
  if (event.type === 'AgentStarted') {
    const { turnId, attempt, conversation } = event.data;
    return updateTurn(state, turnId, (turn) =>
      turn.attempt === attempt && isOpen(turn)
        ? { ...turn, conversation, state: turn.state === 'starting' ? 'running' : turn.state }
        : turn,
    );
  }
  const counted = event.type === 'UsageReported' ? { ...state, usage: addUsage(state.usage, event.data) } : state;
  return updateTurn(counted, turnIdOf(counted, event.turnId), (turn) => progressTurn(turn, event));
}

function progressTurn(turn: Turn, event: Exclude<AgentProgress, { type: 'AgentStarted' }>): Turn {
  switch (event.type) {
    case 'AssistantTextAppended':
      return appendText(turn, { kind: 'text', eventId: event.id, ...event.data });
    case 'ReasoningAppended':
      return appendText(turn, { kind: 'reasoning', eventId: event.id, ...event.data });
    case 'ToolCallStarted': {
      const { toolCallId, name, title, input } = event.data;
      return startTool(turn, { eventId: event.id, toolCallId, name, title, input });
    }
    case 'ToolCallProgressed':
      return changeTool(turn, event.data.toolCallId, { output: event.data.output });
    case 'ToolCallCompleted': {
      const { toolCallId, outcome, output, durationMs } = event.data;
      return changeTool(turn, toolCallId, { state: outcome, output, durationMs });
    }
    case 'UsageReported':
      return { ...turn, usage: addUsage(turn.usage, event.data) };
  }
}

function applyWork(
  state: SessionState,
  event: Known<'PlanUpdated' | 'FilesChanged' | 'CheckpointCreated' | 'BranchPushed' | 'BranchPushFailed'>,
): SessionState {
  switch (event.type) {
    case 'PlanUpdated':
      return { ...state, plan: event.data.entries };
    case 'FilesChanged':
      return { ...state, files: event.data.files, filesTotal: event.data.total };
    case 'CheckpointCreated': {
      const { turnId, sha, parent, base, branch, stats, patch, turnPatch } = event.data;
      const checkpoint = { turnId, sha, parent, base, branch, stats, patch, turnPatch };
      return updateTurn({ ...state, checkpoint }, turnId, (turn) => ({ ...turn, checkpoint }));
    }
    case 'BranchPushed':
      return { ...state, push: { state: 'pushed', ...event.data } };
    case 'BranchPushFailed': {
      const { branch, reason } = event.data;
      return addNotice({ ...state, push: { state: 'failed', ...event.data } }, turnIdOf(state, event.turnId), {
        id: event.id,
        level: 'warning',
        code: reason.code,
        text: `Branch ${branch} was not pushed: ${reason.message}`,
      });
    }
  }
}

function applyFailure(state: SessionState, event: Known<'FrameRejected' | 'AgentFailed'>): SessionState {
  const { reason } = event.data;
  const isAgent = event.type === 'AgentFailed';
  const turnId = isAgent ? event.data.turnId || event.turnId : event.turnId;
  const stderr = isAgent && event.data.stderr !== '' ? `\n${event.data.stderr}` : '';
  return addNotice(state, turnIdOf(state, turnId), {
    id: event.id,
    level: isAgent ? 'error' : 'warning',
    code: reason.code,
    text: reason.message + stderr,
  });
}
