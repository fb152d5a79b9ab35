import { ApiExtraModels, ApiProperty } from '@nestjs/swagger';

import { CONVERSATIONS, ISOLATIONS, NOTICE_LEVELS, SANDBOX_STAGES, TOOL_OUTCOMES, TURN_OUTCOMES, schemaReference } from '@bullpen/contracts';
import type { Author, ClippedText, Conversation, DiffStats, Isolation, JsonRecord, NoticeLevel, ObjectRef, Reason, SandboxStage } from '@bullpen/contracts';
import type { Checkpoint, PushState, QueuedPrompt, SandboxState, Turn, TurnItem, UsageTotals } from '@bullpen/session-model';

import { ANY_OBJECT, TIME, nullable, one } from './schema-parts.js';

/** Parts of a session's state. What events carry as well is described with them, by event-schemas.ts. */
type Item<Kind extends TurnItem['kind']> = Extract<TurnItem, { kind: Kind }>;
type Pushed<State extends PushState['state']> = Extract<PushState, { state: State }>;
const ITEM_ID = 'Of the event that opened it: unique within the session.';

export class UsageAnswer implements UsageTotals {
  @ApiProperty({ type: 'integer' })
  inputTokens!: number;

  @ApiProperty({ type: 'integer' })
  outputTokens!: number;

  @ApiProperty({ type: 'integer' })
  cacheReadTokens!: number;

  @ApiProperty({ type: 'integer' })
  cacheWriteTokens!: number;

  @ApiProperty()
  costUsd!: number;
}

export class CheckpointAnswer implements Checkpoint {
  @ApiProperty()
  turnId!: string;

  @ApiProperty({ description: 'The commit.' })
  sha!: string;

  @ApiProperty()
  parent!: string;

  @ApiProperty({ description: 'The commit that the session started from.' })
  base!: string;

  @ApiProperty()
  branch!: string;

  @ApiProperty(one('DiffStats'))
  stats!: DiffStats;

  @ApiProperty({ ...one('ObjectRef'), description: 'From `base`.' })
  patch!: ObjectRef;

  @ApiProperty({ ...one('ObjectRef'), description: 'From `parent`.' })
  turnPatch!: ObjectRef;
}

export class TextItem implements Pick<Item<'text'>, 'id' | 'partId' | 'text'> {
  @ApiProperty({ enum: ['text', 'reasoning'] })
  kind!: 'text' | 'reasoning';

  @ApiProperty({ description: ITEM_ID })
  id!: string;

  @ApiProperty()
  partId!: string;

  @ApiProperty()
  text!: string;
}

export class ToolItem implements Item<'tool'> {
  @ApiProperty({ enum: ['tool'] })
  kind!: 'tool';

  @ApiProperty({ description: ITEM_ID })
  id!: string;

  @ApiProperty({ description: 'As the agent numbers its calls; may come again in another turn.' })
  toolCallId!: string;

  @ApiProperty()
  name!: string;

  @ApiProperty()
  title!: string;

  @ApiProperty(ANY_OBJECT)
  input!: JsonRecord;

  @ApiProperty({ enum: ['running', ...TOOL_OUTCOMES] })
  state!: Item<'tool'>['state'];

  @ApiProperty(nullable('ClippedText'))
  output!: ClippedText | null;

  @ApiProperty({ type: 'integer', nullable: true })
  durationMs!: number | null;
}

export class NoticeItem implements Item<'notice'> {
  @ApiProperty({ enum: ['notice'] })
  kind!: 'notice';

  @ApiProperty({ description: ITEM_ID })
  id!: string;

  @ApiProperty({ enum: NOTICE_LEVELS })
  level!: NoticeLevel;

  @ApiProperty({ description: 'Stable.' })
  code!: string;

  @ApiProperty({ description: 'For a person.' })
  text!: string;
}

const ITEMS = { oneOf: [TextItem, ToolItem, NoticeItem].map(({ name }) => schemaReference(name)) };

@ApiExtraModels(TextItem, ToolItem, NoticeItem, CheckpointAnswer)
export class TurnAnswer implements Turn {
  @ApiProperty()
  turnId!: string;

  @ApiProperty()
  promptId!: string;

  @ApiProperty({ description: 'What was prompted.' })
  prompt!: string;

  @ApiProperty(one('Author'))
  author!: Author;

  @ApiProperty({ type: 'integer', description: 'From 1; each retry is another.' })
  attempt!: number;

  @ApiProperty({ enum: ['starting', 'running', 'cancelling', ...TURN_OUTCOMES], description: 'starting: no agent has the prompt yet.' })
  state!: Turn['state'];

  @ApiProperty({ type: String, enum: CONVERSATIONS, nullable: true, description: 'How the agent took up what was said before.' })
  conversation!: Conversation | null;

  @ApiProperty({ ...nullable('Reason'), description: 'Why it ended as it did; null when it completed or runs.' })
  reason!: Reason | null;

  @ApiProperty(TIME)
  startedAt!: string;

  @ApiProperty({ ...TIME, type: String, nullable: true })
  endedAt!: string | null;

  @ApiProperty({ type: 'array', items: ITEMS, description: 'In order.' })
  items!: TurnItem[];

  @ApiProperty({ type: UsageAnswer })
  usage!: UsageTotals;

  @ApiProperty(nullable(CheckpointAnswer.name))
  checkpoint!: Checkpoint | null;
}

export class QueuedPromptAnswer implements QueuedPrompt {
  @ApiProperty()
  promptId!: string;

  @ApiProperty()
  text!: string;

  @ApiProperty(one('Author'))
  author!: Author;

  @ApiProperty(TIME)
  queuedAt!: string;
}

export class StageAnswer {
  @ApiProperty({ enum: SANDBOX_STAGES })
  stage!: SandboxStage;

  @ApiProperty(TIME)
  startedAt!: string;
}

export class SandboxAnswer implements SandboxState {
  @ApiProperty({ type: 'integer', description: '0 before the first sandbox.' })
  generation!: number;

  @ApiProperty()
  sandboxId!: string;

  @ApiProperty()
  driver!: string;

  @ApiProperty({ type: String, enum: ISOLATIONS, nullable: true })
  isolation!: Isolation | null;

  @ApiProperty({ type: String, enum: SANDBOX_STAGES, nullable: true })
  stage!: SandboxStage | null;

  @ApiProperty({ ...TIME, type: String, nullable: true })
  stageSince!: string | null;

  @ApiProperty({ type: [StageAnswer], description: 'Of this generation, in order.' })
  stages!: StageAnswer[];

  @ApiProperty({ ...nullable('Reason'), description: 'Why it is lost, failed or stopped; the last failed spawn while another attempt is made.' })
  reason!: Reason | null;

  @ApiProperty({ type: 'integer' })
  spawnAttempts!: number;

  @ApiProperty({ description: 'The end of what a failed spawn said.' })
  logTail!: string;
}

export class PushedAnswer implements Pushed<'pushed'> {
  @ApiProperty({ enum: ['pushed'] })
  state!: 'pushed';

  @ApiProperty()
  branch!: string;

  @ApiProperty()
  sha!: string;
}

export class PushFailedAnswer implements Pushed<'failed'> {
  @ApiProperty({ enum: ['failed'] })
  state!: 'failed';

  @ApiProperty()
  branch!: string;

  @ApiProperty()
  sha!: string;

  @ApiProperty(one('Reason'))
  reason!: Reason;
}

export const PUSH = { oneOf: [PushedAnswer, PushFailedAnswer].map(({ name }) => schemaReference(name)), nullable: true };
