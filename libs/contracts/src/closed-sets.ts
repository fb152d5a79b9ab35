/** Values of the closed sets in `proto/`; the proto comment of each field lists the same. */
export const TURN_OUTCOMES = ['completed', 'failed', 'cancelled'] as const;
export type TurnOutcome = (typeof TURN_OUTCOMES)[number];

export const SANDBOX_STAGES = [
  'requested',
  'provisioning',
  'restoring',
  'syncing',
  'ready',
  'running',
  'idle',
  'stopped',
  'lost',
  'failed',
] as const;
export type SandboxStage = (typeof SANDBOX_STAGES)[number];

/** Stages that a runner reports of itself; the others are the orchestrator's to say. */
export const RUNNER_STAGES = ['restoring', 'syncing', 'ready', 'running', 'idle'] as const satisfies readonly SandboxStage[];
export type RunnerStage = (typeof RUNNER_STAGES)[number];

export const TOOL_OUTCOMES = ['succeeded', 'failed', 'cancelled'] as const;
export type ToolOutcome = (typeof TOOL_OUTCOMES)[number];

export const FILE_CHANGES = ['added', 'modified', 'deleted', 'renamed'] as const;
export type FileChangeKind = (typeof FILE_CHANGES)[number];

export const PLAN_STATUSES = ['pending', 'active', 'done'] as const;
export type PlanStatus = (typeof PLAN_STATUSES)[number];

export const NOTICE_LEVELS = ['info', 'warning', 'error'] as const;
export type NoticeLevel = (typeof NOTICE_LEVELS)[number];

export const CONVERSATIONS = ['new', 'continued', 'resumed', 'replayed'] as const;
export type Conversation = (typeof CONVERSATIONS)[number];

export const ISOLATIONS = ['bubblewrap', 'none'] as const;
export type Isolation = (typeof ISOLATIONS)[number];

export const MODEL_PROVIDERS = ['anthropic', 'scripted'] as const;
export type ModelProvider = (typeof MODEL_PROVIDERS)[number];

export const SESSION_STATUSES = ['idle', 'queued', 'running', 'failed', 'archived'] as const;
export type SessionStatus = (typeof SESSION_STATUSES)[number];

/** Shown on every surface when no real model answers. */
export const SCRIPTED_MODEL_NOTICE = 'Scripted model: no API key set';

/** Shown on every surface when a sandbox is `none`. */
export const ISOLATION_NOTICE = 'No isolation: the agent runs as a plain process of this machine and can read what its user can';
