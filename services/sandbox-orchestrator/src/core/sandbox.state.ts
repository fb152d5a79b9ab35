import type {
  Author,
  EventData,
  EventType,
  ModelProvider,
  Reason,
  RepositoryRef,
  SandboxStage,
  SessionLane,
  StoredEvent,
} from '@bullpen/contracts';
import { isEventType } from '@bullpen/contracts';

/** What the log says about one session's sandboxes: the fold of its lanes, as far as sandboxes need it. */
export interface SandboxedSession {
  readonly sessionId: string;
  readonly work: SessionWork | null;
  /** Archived or deleted: nothing may run. */
  readonly closed: boolean;
  /** For good: everything of it goes. */
  readonly deleted: boolean;
  /** Lanes of the orchestrator's own that have their last event. */
  readonly closedLanes: readonly ClosableLane[];
  /** Of prompts that wait, and of the last one whose turn started (it may be retried). */
  readonly prompts: Readonly<Record<string, PromptText>>;
  /** The prompt whose turn started last. */
  readonly startedPromptId: string | null;
  readonly turnIds: readonly string[];
  /** Started and not ended; at most one. */
  readonly turn: RunningTurn | null;
  /** When the last turn ended; null while one runs, or before the first. */
  readonly idleSince: string | null;
  /** The newest generation. */
  readonly sandbox: Generation | null;
  /** Who may append to the agent lane. */
  readonly fence: { readonly sandboxId: string; readonly generation: number } | null;
  /** The attempt an agent was last given; null again when its sandbox ended before it did. */
  readonly agentTurn: AgentTurn | null;
  /** Whether any agent ever had a prompt. */
  readonly hasConversation: boolean;
  /** Sandboxes in a row that ended before an agent had the running turn's prompt. */
  readonly attempts: number;
  /** No further attempt can help. */
  readonly exhausted: boolean;
  /** Why the newest generation ended. */
  readonly endReason: Reason | null;
  /** The sandbox whose workspace the next one may take over. */
  readonly workspaceOf: string | null;
  readonly checkpoint: EventData['CheckpointCreated'] | null;
  /** Commit whose push succeeded or was refused. */
  readonly pushDecidedFor: string | null;
  /** Stream sequence of the sandbox lane's last message. */
  readonly sandboxLaneEnd: number;
}

/** Those that the orchestrator owns. */
export const CLOSABLE_LANES = ['agent', 'sandbox'] as const;
export type ClosableLane = (typeof CLOSABLE_LANES)[number];

export interface SessionWork {
  readonly repository: RepositoryRef;
  readonly branch: string;
  readonly agent: string;
  readonly model: string;
  readonly modelProvider: ModelProvider;
}

export interface PromptText {
  readonly text: string;
  readonly author: Author;
}

export interface RunningTurn {
  readonly turnId: string;
  readonly promptId: string;
  readonly attempt: number;
  readonly cancelRequested: boolean;
  /** RFC 3339, of this attempt. */
  readonly startedAt: string;
  /** Its sandbox is gone: the session service is about to end it. */
  readonly lost: boolean;
  /** W3C trace context of the request that started it; null when nobody gave one. */
  readonly traceparent?: string | null;
}

export interface AgentTurn {
  readonly turnId: string;
  readonly attempt: number;
  readonly finished: boolean;
  /** The model has said something, or used a tool. */
  readonly answered: boolean;
}

export interface Generation {
  readonly generation: number;
  readonly sandboxId: string;
  readonly requestedAt: string;
  /** Stream sequence of the request: what the sandbox is made from is read up to here. */
  readonly requestedSequence: number;
  readonly stage: SandboxStage;
  /** Since when, RFC 3339; never before the stage before it. */
  readonly stageSince: string;
  /** Its workspace stood at some time. */
  readonly ready: boolean;
  readonly endedAt: string | null;
}

/** Where an event stands in the log. */
export interface EventPlace {
  readonly lane: SessionLane;
  readonly sequence: number;
}

export function newSandboxedSession(sessionId: string): SandboxedSession {
  return {
    sessionId,
    work: null,
    closed: false,
    deleted: false,
    closedLanes: [],
    prompts: {},
    startedPromptId: null,
    turnIds: [],
    turn: null,
    idleSince: null,
    sandbox: null,
    fence: null,
    agentTurn: null,
    hasConversation: false,
    attempts: 0,
    exhausted: false,
    endReason: null,
    workspaceOf: null,
    checkpoint: null,
    pushDecidedFor: null,
    sandboxLaneEnd: 0,
  };
}

/** Never throws; an event that does not matter here gives back the same state. */
export function evolve(state: SandboxedSession, event: StoredEvent, place: EventPlace): SandboxedSession {
  const placed = place.lane === 'sandbox' ? { ...state, sandboxLaneEnd: place.sequence } : state;
  if (event.type === 'SessionDeleted' || event.type === 'LaneClosed') return ended(placed, event.type, place.lane);
  const closing = CLOSING_TYPES[event.type];
  if (closing !== undefined && place.lane === 'core') return { ...placed, closed: closing };
  if (!isEventType(event.type)) return placed;
  const fold = FOLDS[event.type] as Fold<EventType> | undefined;
  return fold ? fold(placed, event.data as unknown as EventData[EventType], { at: event.at, sequence: place.sequence, traceparent: event.traceparent ?? null }) : placed;
}

/** Also a session of which nothing but the ends of its lanes is left. */
function ended(state: SandboxedSession, type: 'SessionDeleted' | 'LaneClosed', lane: SessionLane): SandboxedSession {
  const closed = type === 'LaneClosed' ? CLOSABLE_LANES.filter((known) => known === lane) : [];
  return { ...state, closed: true, deleted: true, closedLanes: [...state.closedLanes, ...closed] };
}

/** The newest generation while it has not ended. */
export function liveGeneration(state: SandboxedSession): Generation | null {
  return state.sandbox?.endedAt === null ? state.sandbox : null;
}

/** The running turn while a sandbox is needed to give it to an agent, or to let the agent go on. */
export function turnInNeed(state: SandboxedSession): RunningTurn | null {
  const { turn } = state;
  if (!turn || turn.lost || state.closed) return null;
  if (isSameAttempt(state.agentTurn, turn)) return state.agentTurn?.finished ? null : turn;
  return turn.cancelRequested ? null : turn;
}

/** The attempt that ends if the sandbox is lost now; null when no agent works on the running turn. */
export function turnAtStake(state: SandboxedSession): RunningTurn | null {
  const { turn, agentTurn } = state;
  return turn && agentTurn && !turn.lost && !agentTurn.finished && isSameAttempt(agentTurn, turn) ? turn : null;
}

/** The running turn is over where it ran; the session service is about to say so. */
export function awaitsItsEnd({ turn, agentTurn, closed }: SandboxedSession): boolean {
  return turn !== null && !closed && (turn.lost || (agentTurn?.finished === true && isSameAttempt(agentTurn, turn)));
}

export function isSameAttempt(a: { turnId: string; attempt: number } | null, b: { turnId: string; attempt: number } | null): boolean {
  return a !== null && b !== null && a.turnId === b.turnId && a.attempt === b.attempt;
}

/** By whether nothing may run after them. */
const CLOSING_TYPES: Readonly<Record<string, boolean | undefined>> = {
  SessionArchived: true,
  SessionUnarchived: false,
};

interface FoldContext {
  readonly at: string;
  readonly sequence: number;
  readonly traceparent: string | null;
}
type Fold<T extends EventType> = (state: SandboxedSession, data: EventData[T], context: FoldContext) => SandboxedSession;

const FOLDS: { readonly [T in EventType]?: Fold<T> } = {
  SessionCreated: (state, { repository, branch, agent, model, modelProvider }) => ({
    ...state,
    work: { repository, branch, agent, model, modelProvider },
  }),
  PromptQueued: (state, { promptId, text, author }) => ({ ...state, prompts: { ...state.prompts, [promptId]: { text, author } } }),
  PromptEdited: (state, { promptId, text }) => {
    const prompt = state.prompts[promptId];
    return prompt ? { ...state, prompts: { ...state.prompts, [promptId]: { ...prompt, text } } } : state;
  },
  PromptWithdrawn: (state, { promptId }) => ({ ...state, prompts: withoutPrompt(state.prompts, promptId) }),
  TurnStarted: (state, { turnId, promptId, attempt }, { at, traceparent }) => ({
    ...state,
    turn: { turnId, promptId, attempt, startedAt: at, cancelRequested: false, lost: false, ...(traceparent === null ? {} : { traceparent }) },
    turnIds: state.turnIds.includes(turnId) ? state.turnIds : [...state.turnIds, turnId],
    prompts: withoutPrompt(state.prompts, state.startedPromptId === promptId ? null : state.startedPromptId),
    startedPromptId: promptId,
    idleSince: null,
    attempts: 0,
    exhausted: false,
  }),
  TurnCancelRequested: (state, { turnId }) =>
    state.turn?.turnId === turnId ? { ...state, turn: { ...state.turn, cancelRequested: true } } : state,
  TurnEnded: (state, { turnId, attempt }, { at }) =>
    isSameAttempt(state.turn, { turnId, attempt }) ? { ...state, turn: null, idleSince: at } : state,

  SandboxRequested: (state, { generation, sandboxId }, { at, sequence }) => ({
    ...state,
    sandbox: { generation, sandboxId, requestedAt: at, requestedSequence: sequence, stage: 'requested', stageSince: at, ready: false, endedAt: null },
    agentTurn: state.agentTurn?.finished ? state.agentTurn : null,
    endReason: null,
  }),
  SandboxStageEntered: (state, { generation, stage, startedAt, reason }) => {
    if (state.sandbox?.generation !== generation) return state;
    const stageSince = startedAt > state.sandbox.stageSince ? startedAt : state.sandbox.stageSince;
    const ready = state.sandbox.ready || WORKSPACE_STAGES.has(stage);
    const next = { ...state, sandbox: { ...state.sandbox, stage, stageSince, ready }, workspaceOf: ready ? state.sandbox.sandboxId : state.workspaceOf };
    return stage === 'failed' ? { ...next, endReason: reason ?? state.endReason } : next;
  },
  SandboxSpawnFailed: (state, { generation, reason, retryAt }, { at }) => {
    const ended = withEnd(state, generation, reason, at);
    return ended === state ? state : { ...ended, attempts: state.attempts + 1, exhausted: retryAt === '' };
  },
  SandboxLost: (state, { generation, turnId, turnAttempt, reason }, { at }) => {
    const ended = withEnd(state, generation, reason, at);
    if (ended === state) return state;
    if (ended.turn && isSameAttempt(ended.turn, { turnId, attempt: turnAttempt })) return { ...ended, turn: { ...ended.turn, lost: true } };
    return { ...ended, attempts: attemptsAfter(state) };
  },
  SandboxStopped: (state, { generation, reason }, { at }) => {
    const ended = withEnd(state, generation, reason, at);
    if (ended === state) return state;
    return { ...ended, attempts: ASKED_STOPS.has(reason.code) ? state.attempts : attemptsAfter(state) };
  },

  GenerationStarted: (state, { generation, sandboxId }) => ({ ...state, fence: { sandboxId, generation } }),
  AgentStarted: (state, { turnId, attempt }) => ({
    ...state,
    agentTurn: { turnId, attempt, finished: false, answered: false },
    hasConversation: true,
    attempts: 0,
  }),
  ReasoningAppended: answered,
  AssistantTextAppended: answered,
  ToolCallStarted: answered,
  AgentTurnFinished: (state, { turnId, attempt }) =>
    state.agentTurn && isSameAttempt(state.agentTurn, { turnId, attempt }) ? { ...state, agentTurn: { ...state.agentTurn, finished: true } } : state,
  // Named again without its bundle, a commit is still restored from the one it came with.
  CheckpointCreated: (state, data) => ({
    ...state,
    checkpoint: data.bundle.sha256 === '' && state.checkpoint?.sha === data.sha ? state.checkpoint : data,
  }),
  BranchPushed: (state, { sha }) => ({ ...state, pushDecidedFor: sha }),
  BranchPushFailed: (state, { sha }) => ({ ...state, pushDecidedFor: sha }),
};

function answered(state: SandboxedSession): SandboxedSession {
  return state.agentTurn?.answered === false ? { ...state, agentTurn: { ...state.agentTurn, answered: true } } : state;
}

/** Why the platform itself ends a sandbox; such an end is no failed attempt. */
export const STOP_CODES = {
  platformStopped: 'platform.stopped',
  idle: 'sandbox.idle',
  closed: 'session.closed',
  notNeeded: 'sandbox.not-needed',
} as const;

const ASKED_STOPS: ReadonlySet<string> = new Set(Object.values(STOP_CODES));

const WORKSPACE_STAGES: ReadonlySet<SandboxStage> = new Set(['ready', 'running', 'idle']);

function withEnd(state: SandboxedSession, generation: number, reason: Reason, at: string): SandboxedSession {
  const { sandbox } = state;
  if (sandbox?.generation !== generation || sandbox.endedAt !== null) return state;
  return { ...state, sandbox: { ...sandbox, endedAt: at }, agentTurn: state.agentTurn?.finished ? state.agentTurn : null, endReason: reason };
}

/** A sandbox that ended while the running turn waited for its agent was an attempt that came to nothing. */
function attemptsAfter(state: SandboxedSession): number {
  return turnInNeed(state) && !turnAtStake(state) ? state.attempts + 1 : state.attempts;
}

function withoutPrompt(prompts: Readonly<Record<string, PromptText>>, promptId: string | null): Readonly<Record<string, PromptText>> {
  return promptId === null ? prompts : Object.fromEntries(Object.entries(prompts).filter(([id]) => id !== promptId));
}
