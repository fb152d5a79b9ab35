import type { DescMessage } from '@bufbuild/protobuf';

import type {
  Conversation,
  FileChangeKind,
  Isolation,
  ModelProvider,
  NoticeLevel,
  PlanStatus,
  SandboxStage,
  ToolOutcome,
  TurnOutcome,
} from './closed-sets.js';
import {
  CONVERSATIONS,
  FILE_CHANGES,
  ISOLATIONS,
  MODEL_PROVIDERS,
  NOTICE_LEVELS,
  PLAN_STATUSES,
  SANDBOX_STAGES,
  TOOL_OUTCOMES,
  TURN_OUTCOMES,
} from './closed-sets.js';
import * as agent from './gen/bullpen/events/v1/agent_pb.js';
import type * as common from './gen/bullpen/events/v1/common_pb.js';
import * as core from './gen/bullpen/events/v1/core_pb.js';
import * as sandbox from './gen/bullpen/events/v1/sandbox_pb.js';
import type { Plain, Refine } from './plain.js';

export type Reason = Plain<common.Reason>;
export type ClippedText = Plain<common.ClippedText>;
export type ObjectRef = Plain<common.ObjectRef>;
export type Author = Plain<common.Author>;
export type RepositoryRef = Plain<core.RepositoryRef>;
export type DiffStats = Plain<agent.DiffStats>;
export type FileChange = Refine<agent.FileChange, { change: FileChangeKind }>;
export type PlanEntry = Refine<agent.PlanEntry, { status: PlanStatus }>;

/** Data of every event type, by lane owner. */
export interface CoreEventData {
  SessionCreated: Refine<core.SessionCreated, { modelProvider: ModelProvider; repository: RepositoryRef }>;
  PromptQueued: Refine<core.PromptQueued, { author: Author }>;
  PromptEdited: Plain<core.PromptEdited>;
  PromptMoved: Plain<core.PromptMoved>;
  PromptWithdrawn: Plain<core.PromptWithdrawn>;
  TurnStarted: Plain<core.TurnStarted>;
  TurnCancelRequested: Plain<core.TurnCancelRequested>;
  TurnEnded: Refine<core.TurnEnded, { outcome: TurnOutcome }>;
  SessionRenamed: Plain<core.SessionRenamed>;
  SessionArchived: Plain<core.SessionArchived>;
  SessionUnarchived: Plain<core.SessionUnarchived>;
  SessionDeleted: Plain<core.SessionDeleted>;
}
export interface RepositoryEventData {
  RepositoryAdded: Plain<core.RepositoryAdded>;
  RepositoryRemoved: Plain<core.RepositoryRemoved>;
}
export interface SandboxEventData {
  SandboxRequested: Refine<sandbox.SandboxRequested, { isolation: Isolation }>;
  SandboxStageEntered: Refine<sandbox.SandboxStageEntered, { stage: SandboxStage }>;
  SandboxSpawnFailed: Refine<sandbox.SandboxSpawnFailed, { reason: Reason }>;
  SandboxLost: Refine<sandbox.SandboxLost, { reason: Reason }>;
  SandboxStopped: Refine<sandbox.SandboxStopped, { reason: Reason }>;
}
export interface AgentEventData {
  GenerationStarted: Plain<agent.GenerationStarted>;
  AgentStarted: Refine<agent.AgentStarted, { conversation: Conversation }>;
  AssistantTextAppended: Plain<agent.AssistantTextAppended>;
  ReasoningAppended: Plain<agent.ReasoningAppended>;
  AgentNoticed: Refine<agent.AgentNoticed, { level: NoticeLevel }>;
  ToolCallStarted: Refine<agent.ToolCallStarted, { input: JsonRecord }>;
  ToolCallProgressed: Refine<agent.ToolCallProgressed, { output: ClippedText }>;
  ToolCallCompleted: Refine<agent.ToolCallCompleted, { outcome: ToolOutcome; output: ClippedText }>;
  PlanUpdated: Refine<agent.PlanUpdated, { entries: PlanEntry[] }>;
  FilesChanged: Refine<agent.FilesChanged, { files: FileChange[] }>;
  UsageReported: Plain<agent.UsageReported>;
  CheckpointCreated: Refine<
    agent.CheckpointCreated,
    { stats: DiffStats; patch: ObjectRef; turnPatch: ObjectRef; bundle: ObjectRef }
  >;
  BranchPushed: Plain<agent.BranchPushed>;
  BranchPushFailed: Refine<agent.BranchPushFailed, { reason: Reason }>;
  FrameRejected: Refine<agent.FrameRejected, { reason: Reason }>;
  AgentFailed: Refine<agent.AgentFailed, { reason: Reason }>;
  AgentTurnFinished: Refine<agent.AgentTurnFinished, { outcome: TurnOutcome }>;
}
export interface EveryLaneEventData {
  LaneClosed: Plain<agent.LaneClosed>;
}
export interface EventData
  extends CoreEventData, RepositoryEventData, SandboxEventData, AgentEventData, EveryLaneEventData {}

export type JsonRecord = { [key: string]: JsonValue };
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonRecord;

export type EventType = keyof EventData;

/** `{type, data}` as a union over `Types`, so that a switch on `type` narrows `data`. */
export type EventOf<Types extends EventType = EventType> = { [T in Types]: { readonly type: T; readonly data: EventData[T] } }[Types];
export type CoreEvent = EventOf<keyof CoreEventData>;
export type RepositoryEvent = EventOf<keyof RepositoryEventData>;
export type SandboxEvent = EventOf<keyof SandboxEventData>;
export type AgentEvent = EventOf<keyof AgentEventData>;

/** Frames that a runner may send; the orchestrator rejects every other type. */
export const RUNNER_EVENT_TYPES = [
  'AgentStarted',
  'AssistantTextAppended',
  'ReasoningAppended',
  'AgentNoticed',
  'ToolCallStarted',
  'ToolCallProgressed',
  'ToolCallCompleted',
  'PlanUpdated',
  'FilesChanged',
  'UsageReported',
  'CheckpointCreated',
  'AgentFailed',
  'AgentTurnFinished',
] as const satisfies readonly (keyof AgentEventData)[];
export type RunnerEventType = (typeof RUNNER_EVENT_TYPES)[number];
export type RunnerEvent = EventOf<RunnerEventType>;

export const EVENT_SCHEMAS: Readonly<Record<EventType, DescMessage>> = {
  SessionCreated: core.SessionCreatedSchema,
  PromptQueued: core.PromptQueuedSchema,
  PromptEdited: core.PromptEditedSchema,
  PromptMoved: core.PromptMovedSchema,
  PromptWithdrawn: core.PromptWithdrawnSchema,
  TurnStarted: core.TurnStartedSchema,
  TurnCancelRequested: core.TurnCancelRequestedSchema,
  TurnEnded: core.TurnEndedSchema,
  SessionRenamed: core.SessionRenamedSchema,
  SessionArchived: core.SessionArchivedSchema,
  SessionUnarchived: core.SessionUnarchivedSchema,
  SessionDeleted: core.SessionDeletedSchema,
  RepositoryAdded: core.RepositoryAddedSchema,
  RepositoryRemoved: core.RepositoryRemovedSchema,
  SandboxRequested: sandbox.SandboxRequestedSchema,
  SandboxStageEntered: sandbox.SandboxStageEnteredSchema,
  SandboxSpawnFailed: sandbox.SandboxSpawnFailedSchema,
  SandboxLost: sandbox.SandboxLostSchema,
  SandboxStopped: sandbox.SandboxStoppedSchema,
  GenerationStarted: agent.GenerationStartedSchema,
  AgentStarted: agent.AgentStartedSchema,
  AssistantTextAppended: agent.AssistantTextAppendedSchema,
  ReasoningAppended: agent.ReasoningAppendedSchema,
  AgentNoticed: agent.AgentNoticedSchema,
  ToolCallStarted: agent.ToolCallStartedSchema,
  ToolCallProgressed: agent.ToolCallProgressedSchema,
  ToolCallCompleted: agent.ToolCallCompletedSchema,
  PlanUpdated: agent.PlanUpdatedSchema,
  FilesChanged: agent.FilesChangedSchema,
  UsageReported: agent.UsageReportedSchema,
  CheckpointCreated: agent.CheckpointCreatedSchema,
  BranchPushed: agent.BranchPushedSchema,
  BranchPushFailed: agent.BranchPushFailedSchema,
  FrameRejected: agent.FrameRejectedSchema,
  AgentFailed: agent.AgentFailedSchema,
  AgentTurnFinished: agent.AgentTurnFinishedSchema,
  LaneClosed: agent.LaneClosedSchema,
};

/** Closed string sets by event type and field path (`files[].change`). */
export const CLOSED_SETS: Readonly<Partial<Record<EventType, Readonly<Record<string, readonly string[]>>>>> = {
  SessionCreated: { modelProvider: MODEL_PROVIDERS },
  TurnEnded: { outcome: TURN_OUTCOMES },
  SandboxRequested: { isolation: ISOLATIONS },
  SandboxStageEntered: { stage: SANDBOX_STAGES },
  AgentStarted: { conversation: CONVERSATIONS },
  AgentNoticed: { level: NOTICE_LEVELS },
  ToolCallCompleted: { outcome: TOOL_OUTCOMES },
  PlanUpdated: { 'entries[].status': PLAN_STATUSES },
  FilesChanged: { 'files[].change': FILE_CHANGES },
  AgentTurnFinished: { outcome: TURN_OUTCOMES },
};
