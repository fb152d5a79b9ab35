import type { KnownSessionEvent, SessionEvent } from './envelope.js';
import type { EventType } from './events.js';

/** Without the schemas, which a reader of events need not load; the compiler keeps the two lists the same. */
const EVENT_TYPES: Readonly<Record<EventType, true>> = {
  SessionCreated: true,
  PromptQueued: true,
  PromptEdited: true,
  PromptMoved: true,
  PromptWithdrawn: true,
  TurnStarted: true,
  TurnCancelRequested: true,
  TurnEnded: true,
  SessionRenamed: true,
  SessionArchived: true,
  SessionUnarchived: true,
  SessionDeleted: true,
  RepositoryAdded: true,
  RepositoryRemoved: true,
  SandboxRequested: true,
  SandboxStageEntered: true,
  SandboxSpawnFailed: true,
  SandboxLost: true,
  SandboxStopped: true,
  GenerationStarted: true,
  AgentStarted: true,
  AssistantTextAppended: true,
  ReasoningAppended: true,
  AgentNoticed: true,
  ToolCallStarted: true,
  ToolCallProgressed: true,
  ToolCallCompleted: true,
  PlanUpdated: true,
  FilesChanged: true,
  UsageReported: true,
  CheckpointCreated: true,
  BranchPushed: true,
  BranchPushFailed: true,
  FrameRejected: true,
  AgentFailed: true,
  AgentTurnFinished: true,
  LaneClosed: true,
};

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENT_TYPES, type);
}

/** Tolerant: an event that this build does not know is carried on untouched. */
export function isKnownEvent(event: SessionEvent): event is SessionEvent & KnownSessionEvent {
  return isEventType(event.type);
}
