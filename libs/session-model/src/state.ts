import type {
  Author,
  ClippedText,
  Conversation,
  DiffStats,
  FileChange,
  Isolation,
  JsonRecord,
  ModelProvider,
  ObjectRef,
  PlanEntry,
  Reason,
  RepositoryRef,
  SandboxStage,
  SessionStatus,
  ToolOutcome,
  TurnOutcome,
} from '@bullpen/contracts';

/**
 * Version of the fold, to be raised when the same events fold to another state. A client that does not know it asks for events instead of a
 * snapshot; a stored snapshot of another version is not used.
 */
export const SESSION_MODEL = 'session.v1';

/** What a person sees of a session: the complete fold of its events. Plain JSON. */
export interface SessionState {
  readonly sessionId: string;
  /** Last event folded; `0` before the first. */
  readonly head: string;
  readonly title: string;
  readonly status: SessionStatus;
  readonly archived: boolean;
  /** Its end: nothing follows, and what it held is being erased. */
  readonly deleted: boolean;
  readonly repository: RepositoryRef | null;
  readonly branch: string;
  readonly agent: string;
  readonly model: string;
  readonly modelProvider: ModelProvider;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Oldest first. */
  readonly turns: readonly Turn[];
  /** Rows that a snapshot left out before the first of `turns`, or inside them; 0 in a complete fold. */
  readonly rowsOmitted: number;
  /** Prompts that wait, in order. */
  readonly queue: readonly QueuedPrompt[];
  /** The turn that runs; null when none. */
  readonly runningTurnId: string | null;
  readonly sandbox: SandboxState;
  readonly files: readonly FileChange[];
  readonly filesTotal: number;
  readonly plan: readonly PlanEntry[];
  readonly usage: UsageTotals;
  readonly checkpoint: Checkpoint | null;
  readonly push: PushState | null;
}

export interface QueuedPrompt {
  readonly promptId: string;
  readonly text: string;
  readonly author: Author;
  readonly queuedAt: string;
}

export interface Turn {
  readonly turnId: string;
  readonly promptId: string;
  readonly prompt: string;
  readonly author: Author;
  readonly attempt: number;
  /** starting: no agent has the prompt yet. */
  readonly state: 'starting' | 'running' | 'cancelling' | TurnOutcome;
  readonly conversation: Conversation | null;
  readonly reason: Reason | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly items: readonly TurnItem[];
  readonly usage: UsageTotals;
  readonly checkpoint: Checkpoint | null;
}

/** `id` is that of the event which opened the item: unique within the session and the same for every reader. */
export type TurnItem =
  | { readonly kind: 'text'; readonly id: string; readonly partId: string; readonly text: string }
  | { readonly kind: 'reasoning'; readonly id: string; readonly partId: string; readonly text: string }
  | {
      readonly kind: 'tool';
      readonly id: string;
      /** As the agent numbers its calls; may come again in another turn. */
      readonly toolCallId: string;
      readonly name: string;
      readonly title: string;
      readonly input: JsonRecord;
      readonly state: 'running' | ToolOutcome;
      readonly output: ClippedText | null;
      readonly durationMs: number | null;
    }
  /** Failures, lost sandboxes, rejected frames, events this build does not know. */
  | {
      readonly kind: 'notice';
      readonly id: string;
      readonly level: 'info' | 'warning' | 'error';
      readonly code: string;
      readonly text: string;
    };

export interface SandboxState {
  readonly generation: number;
  readonly sandboxId: string;
  readonly driver: string;
  readonly isolation: Isolation | null;
  readonly stage: SandboxStage | null;
  readonly stageSince: string | null;
  /** Of the current generation, in order; a stage that is entered again stands where it was entered last. */
  readonly stages: readonly { readonly stage: SandboxStage; readonly startedAt: string }[];
  /** Why it is lost, failed or stopped; the last failed spawn while another attempt is made. */
  readonly reason: Reason | null;
  readonly spawnAttempts: number;
  readonly logTail: string;
}

export interface UsageTotals {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costUsd: number;
}

export interface Checkpoint {
  readonly turnId: string;
  readonly sha: string;
  readonly parent: string;
  readonly base: string;
  readonly branch: string;
  readonly stats: DiffStats;
  readonly patch: ObjectRef;
  readonly turnPatch: ObjectRef;
}

export type PushState =
  | { readonly state: 'pushed'; readonly branch: string; readonly sha: string }
  | { readonly state: 'failed'; readonly branch: string; readonly sha: string; readonly reason: Reason };
