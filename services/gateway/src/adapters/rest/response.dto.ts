import { ApiProperty, ApiPropertyOptional, PickType } from '@nestjs/swagger';

import { ACTOR_KINDS, ISOLATIONS, MODEL_PROVIDERS, SESSION_LANES, SESSION_STATUSES, TURN_OUTCOMES } from '@bullpen/contracts';
import type { Actor, FileChange, Isolation, ModelProvider, PlanEntry, RepositoryRef, SessionLane, SessionStatus, TurnOutcome } from '@bullpen/contracts';
import type { Checkpoint, PushState, QueuedPrompt, SandboxState, Turn, UsageTotals } from '@bullpen/session-model';
import type { SessionRow as SessionRowShape } from '@bullpen/sync-protocol';

import { ANY_OBJECT, TIME, listOf, nullable, one } from './schema-parts.js';
import { CheckpointAnswer, PUSH, QueuedPromptAnswer, SandboxAnswer, TurnAnswer, UsageAnswer } from './session-state.dto.js';
import type { SessionView } from './session.view.js';

/** What routes answer with, for the description of the API; the compiler checks the answers themselves where they are made. */

export class SignInCodeAnswer {
  @ApiProperty()
  code!: string;

  @ApiProperty({ description: 'Milliseconds; afterwards, and once it was used, it is worth nothing.' })
  validForMs!: number;
}

export class SignInAnswer {
  @ApiProperty({ description: 'For `Authorization: Bearer <key>` and the socket\u2019s `auth: {token}`.' })
  key!: string;
}

export class HeadAnswer {
  @ApiProperty({ description: 'Id of the session\u2019s last event; lists wait for it as `after`.' })
  head!: string;
}

export class PromptAnswer extends HeadAnswer {
  @ApiProperty()
  promptId!: string;

  @ApiProperty({ type: 'integer', description: '0: its turn started; otherwise its place in the queue, from 1.' })
  position!: number;
}

export class CancelAnswer extends HeadAnswer {
  @ApiProperty({ description: 'False when no turn was running.' })
  cancelling!: boolean;
}

export class RetryAnswer extends HeadAnswer {
  @ApiProperty({ description: 'False when there was nothing to retry.' })
  retrying!: boolean;
}

export class ChangedAnswer extends HeadAnswer {
  @ApiProperty({ description: 'False when it was so already.' })
  changed!: boolean;
}

export class RepositoryName {
  @ApiProperty()
  id!: string;

  @ApiProperty()
  name!: string;
}

export class RepositoryAnswer extends RepositoryName {
  @ApiProperty()
  source!: string;

  @ApiProperty()
  defaultBranch!: string;
}

export class RepositoryRow extends RepositoryAnswer {
  @ApiProperty(TIME)
  addedAt!: string;

  @ApiProperty({ ...TIME, type: String, nullable: true, description: 'When a session was last created on it.' })
  lastUsedAt!: string | null;
}

export class RepositoriesPage {
  @ApiProperty({ type: [RepositoryRow] })
  repositories!: RepositoryRow[];

  @ApiProperty({ description: 'True when `after` was not reached in time.' })
  stale!: boolean;
}

export class SessionRow implements SessionRowShape {
  @ApiProperty()
  id!: string;

  @ApiProperty()
  title!: string;

  @ApiProperty({ enum: SESSION_STATUSES })
  status!: SessionStatus;

  @ApiProperty({ type: RepositoryName })
  repository!: RepositoryName;

  @ApiProperty()
  branch!: string;

  @ApiProperty()
  agent!: string;

  @ApiProperty()
  model!: string;

  @ApiProperty(TIME)
  createdAt!: string;

  @ApiProperty(TIME)
  updatedAt!: string;

  @ApiProperty({ description: 'Last event in the row; a row is never applied over one with a later `rev`.' })
  rev!: string;

  @ApiProperty({ type: 'integer' })
  turns!: number;

  @ApiProperty({ type: 'integer' })
  filesChanged!: number;

  @ApiProperty({ type: 'integer', description: 'Lines of the whole difference from the session\u2019s base.' })
  additions!: number;

  @ApiProperty({ type: 'integer' })
  deletions!: number;

  @ApiProperty({ type: 'integer', description: 'Prompts that wait.' })
  queued!: number;

  @ApiProperty({ enum: TURN_OUTCOMES, nullable: true, description: 'Of the last turn that ended.' })
  lastOutcome!: TurnOutcome | null;

  @ApiProperty({ description: 'True when nothing runs and somebody must do something: the last turn failed.' })
  attention!: boolean;

  @ApiProperty({ description: 'One line for a person: what runs, what was said last, or why it failed. At most 140 characters.' })
  why!: string;
}

export class SessionsPage {
  @ApiProperty({ type: [SessionRow] })
  sessions!: SessionRow[];

  @ApiProperty({ type: String, nullable: true, description: '`cursor` of the next page; null on the last one.' })
  nextCursor!: string | null;

  @ApiProperty({ description: 'True when `after` was not reached in time.' })
  stale!: boolean;
}

export class SessionAnswer
  extends PickType(SessionRow, ['id', 'title', 'status', 'branch', 'agent', 'model', 'createdAt', 'updatedAt'])
  implements SessionView
{
  @ApiProperty()
  sessionId!: string;

  @ApiProperty({ description: 'Last event in this state.' })
  head!: string;

  @ApiPropertyOptional({ description: 'Of the first prompt, when the session was just created with one.' })
  promptId?: string;

  @ApiProperty()
  archived!: boolean;

  @ApiProperty()
  deleted!: boolean;

  @ApiProperty(nullable('RepositoryRef'))
  repository!: RepositoryRef | null;

  @ApiProperty({ enum: MODEL_PROVIDERS })
  modelProvider!: ModelProvider;

  @ApiProperty({ type: [TurnAnswer], description: 'Oldest first.' })
  turns!: Turn[];

  @ApiProperty({ type: 'integer', description: 'Rows of turns that a snapshot left out; 0 here.' })
  rowsOmitted!: number;

  @ApiProperty({ type: [QueuedPromptAnswer], description: 'Prompts that wait, in order.' })
  queue!: QueuedPrompt[];

  @ApiProperty({ type: String, nullable: true })
  runningTurnId!: string | null;

  @ApiProperty({ type: SandboxAnswer })
  sandbox!: SandboxState;

  @ApiProperty({ ...listOf('FileChange'), description: 'That differ from where the session started; the first 500.' })
  files!: FileChange[];

  @ApiProperty({ type: 'integer' })
  filesTotal!: number;

  @ApiProperty(listOf('PlanEntry'))
  plan!: PlanEntry[];

  @ApiProperty({ type: UsageAnswer })
  usage!: UsageTotals;

  @ApiProperty({ ...nullable(CheckpointAnswer.name), description: 'The last one.' })
  checkpoint!: Checkpoint | null;

  @ApiProperty({ ...PUSH, description: 'Of the last checkpoint that was pushed, or was to be.' })
  push!: PushState | null;

  @ApiProperty({ type: String, nullable: true, description: 'What a person must know when sandboxes are not isolated.' })
  isolationWarning!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What a person must know when no real model answers.' })
  modelNotice!: string | null;
}

export class ActorAnswer implements Actor {
  @ApiProperty({ enum: ACTOR_KINDS })
  kind!: Actor['kind'];

  @ApiProperty()
  id!: string;

  @ApiProperty()
  name!: string;
}

/** What all events have; their data is described by event-schemas.ts. */
export class EventEnvelope {
  @ApiProperty({ description: 'Decimal; two ids of one session compare as integers.' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The session\u2019s event before this one.' })
  prev!: string | null;

  @ApiProperty()
  sessionId!: string;

  @ApiProperty({ enum: SESSION_LANES })
  lane!: SessionLane;

  @ApiProperty()
  type!: string;

  @ApiProperty({ type: 'integer', description: 'Version of the type.' })
  v!: number;

  @ApiProperty(TIME)
  at!: string;

  @ApiProperty({ type: ActorAnswer })
  actor!: Actor;

  @ApiPropertyOptional()
  turnId?: string;

  @ApiPropertyOptional({ description: 'W3C trace context of the request that led to it.' })
  traceparent?: string;
}

export class EventsPage {
  @ApiProperty({ description: 'Another one: drop every event id you hold.' })
  epoch!: string;

  @ApiProperty(listOf('SessionEvent'))
  events!: EventEnvelope[];

  @ApiProperty()
  head!: string;

  @ApiProperty()
  more!: boolean;
}

export class FilesAnswer extends HeadAnswer {
  @ApiProperty({ ...listOf('FileChange'), description: 'The first 500.' })
  files!: FileChange[];

  @ApiProperty({ type: 'integer' })
  total!: number;
}

export class AgentAnswer {
  @ApiProperty()
  agent!: string;

  @ApiProperty()
  model!: string;

  @ApiProperty({ enum: MODEL_PROVIDERS })
  provider!: ModelProvider;

  @ApiProperty({ type: String, nullable: true, description: 'What a person must know when no real model answers.' })
  notice!: string | null;
}

export class SandboxesAnswer {
  @ApiProperty()
  driver!: string;

  @ApiProperty({ enum: ISOLATIONS })
  isolation!: Isolation;

  @ApiProperty({ type: String, nullable: true, description: 'What a person must know when sandboxes are not isolated.' })
  warning!: string | null;
}

export class AgentsAnswer {
  @ApiProperty({ type: [AgentAnswer] })
  agents!: AgentAnswer[];

  @ApiProperty({ ...nullable(SandboxesAnswer.name), description: 'How sandboxes run here; null while the orchestrator does not answer.' })
  sandbox!: SandboxesAnswer | null;
}

export class HealthAnswer {
  @ApiProperty({ enum: ['ok'] })
  status!: string;
}

export class ReadinessChecks {
  @ApiProperty()
  log!: boolean;

  @ApiProperty()
  session!: boolean;
}

export class ReadyAnswer {
  @ApiProperty({ enum: ['ready'] })
  status!: string;

  @ApiProperty(one(ReadinessChecks.name))
  checks!: ReadinessChecks;
}

export class ProblemAnswer {
  @ApiProperty()
  type!: string;

  @ApiProperty()
  title!: string;

  @ApiProperty({ type: 'integer' })
  status!: number;

  @ApiProperty({ description: 'For a person.' })
  detail!: string;

  @ApiProperty({ description: 'Stable.' })
  code!: string;

  @ApiProperty({ ...ANY_OBJECT, description: 'Which thing it is about.' })
  details!: object;
}
