import type { JsonRecord, ModelProvider, NoticeLevel, Reason, TurnOutcome } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';

/**
 * A coding agent CLI, driven without a screen. One process serves many prompts of one conversation, one at a time: the queue is the
 * platform's (agents merge queued prompts). Written so that both pi (RPC) and Claude Code (stream-json) fit.
 */
export interface Agent {
  /** `pi`, `claude-code`. */
  readonly name: string;
  /** Starts the process; resolves once it accepts prompts. @throws Fault `agent.missing`; AgentStartFault */
  start(launch: AgentLaunch): Promise<AgentProcess>;
}

export interface AgentLaunch {
  readonly cwd: string;
  /** The agent keeps its own conversation under here; the same home resumes it. */
  readonly home: string;
  readonly model: string;
  readonly modelProvider: ModelProvider;
  /** Null: the provider's own address. */
  readonly baseUrl: string | null;
  /** Null for the scripted model. Reaches the agent's process only by its environment. */
  readonly apiKey: string | null;
  /** The whole environment, without the key. */
  readonly environment: Readonly<Record<string, string>>;
  readonly resume: boolean;
  /** Conversation to begin with when there is nothing to resume: markdown. */
  readonly transcript: string | null;
}

export interface AgentProcess {
  readonly pid: number;
  /** How the conversation began. */
  readonly conversation: 'new' | 'resumed' | 'replayed';
  /** Runs one prompt. Events come in order and before the result. Never rejects: a crash is a `failed` result. */
  prompt(prompt: AgentPrompt, onEvent: (event: AgentEvent) => void | Promise<void>): Promise<AgentTurnResult>;
  /** Asks the running prompt to stop; its result is then `cancelled`. Nothing when none runs. */
  interrupt(): Promise<void>;
  /** Resolves when the process ended, for whatever reason. */
  readonly exited: Promise<AgentExit>;
  /** Ends the process itself; children of its tools are the caller's to end. */
  stop(): Promise<void>;
  /** Waits until `onEvent` promises settle before reading on: a full spool stops reading the agent and never drops. */
}

export interface AgentPrompt {
  readonly text: string;
}

/** Small, and ours: what every agent can say. `key` tells parts of one kind apart within a prompt. */
export type AgentEvent =
  | { readonly kind: 'text'; readonly key: string; readonly delta: string }
  | { readonly kind: 'reasoning'; readonly key: string; readonly delta: string }
  | { readonly kind: 'toolStarted'; readonly toolCallId: string; readonly name: string; readonly input: JsonRecord; readonly title: string }
  /** The whole output so far. */
  | { readonly kind: 'toolProgressed'; readonly toolCallId: string; readonly output: string }
  | { readonly kind: 'toolCompleted'; readonly toolCallId: string; readonly failed: boolean; readonly output: string }
  | { readonly kind: 'plan'; readonly entries: readonly { readonly text: string; readonly status: 'pending' | 'active' | 'done' }[] }
  | {
      readonly kind: 'usage';
      readonly model: string;
      readonly inputTokens: number;
      readonly outputTokens: number;
      readonly cacheReadTokens: number;
      readonly cacheWriteTokens: number;
      readonly costUsd: number;
    }
  /** Something a person should know, such as a retry of the model call. */
  | { readonly kind: 'notice'; readonly text: string; readonly level: NoticeLevel };

export interface AgentTurnResult {
  readonly outcome: TurnOutcome;
  /** Set unless completed. */
  readonly reason: Reason | null;
}

export interface AgentExit {
  /** -1 when a signal ended it. */
  readonly exitCode: number;
  readonly signal: string;
  /** Last lines, at most 4 KB. */
  readonly stderr: string;
}

/** The agent's process was there, and ended or was ended before it accepted prompts. */
export class AgentStartFault extends Fault {
  constructor(
    message: string,
    readonly exit: AgentExit,
  ) {
    super('agent.start-failed', message);
  }
}
