import { ApiProperty, ApiPropertyOptional, PickType } from '@nestjs/swagger';

import { SESSION_LANES, SESSION_STATUSES } from '@bullpen/contracts';

/** What routes answer with, for the description of the API; the compiler checks the answers themselves where they are made. */
const TIME = { format: 'date-time' };
const OBJECTS = { type: 'array', items: { type: 'object', additionalProperties: true } } as const;
const OBJECT = { type: 'object', additionalProperties: true } as const;

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

  @ApiProperty({ description: '0: its turn started; otherwise its place in the queue, from 1.' })
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

export class SessionRow {
  @ApiProperty()
  id!: string;

  @ApiProperty()
  title!: string;

  @ApiProperty({ enum: SESSION_STATUSES })
  status!: string;

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

  @ApiProperty()
  turns!: number;

  @ApiProperty()
  filesChanged!: number;
}

export class SessionsPage {
  @ApiProperty({ type: [SessionRow] })
  sessions!: SessionRow[];

  @ApiProperty({ type: String, nullable: true, description: '`cursor` of the next page; null on the last one.' })
  nextCursor!: string | null;

  @ApiProperty({ description: 'True when `after` was not reached in time.' })
  stale!: boolean;
}

export class SessionAnswer extends PickType(SessionRow, ['id', 'title', 'status', 'branch', 'agent', 'model', 'createdAt', 'updatedAt']) {
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

  @ApiProperty({ ...OBJECT, nullable: true, description: '{id, name, source}' })
  repository!: object | null;

  @ApiProperty({ enum: ['anthropic', 'scripted'] })
  modelProvider!: string;

  @ApiProperty({ ...OBJECTS, description: 'Oldest first: {turnId, promptId, prompt, author, attempt, state, items, usage, checkpoint, \u2026}' })
  turns!: object[];

  @ApiProperty({ description: 'Rows of turns that a snapshot left out; 0 here.' })
  rowsOmitted!: number;

  @ApiProperty({ ...OBJECTS, description: 'Prompts that wait, in order: {promptId, text, author, queuedAt}' })
  queue!: object[];

  @ApiProperty({ type: String, nullable: true })
  runningTurnId!: string | null;

  @ApiProperty({ ...OBJECT, description: '{generation, sandboxId, driver, isolation, stage, stages, reason, \u2026}' })
  sandbox!: object;

  @ApiProperty({ ...OBJECTS, description: '{path, change, additions, deletions, \u2026}' })
  files!: object[];

  @ApiProperty()
  filesTotal!: number;

  @ApiProperty({ ...OBJECTS, description: '{text, status}' })
  plan!: object[];

  @ApiProperty({ ...OBJECT, description: '{inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd}' })
  usage!: object;

  @ApiProperty({ ...OBJECT, nullable: true })
  checkpoint!: object | null;

  @ApiProperty({ ...OBJECT, nullable: true })
  push!: object | null;

  @ApiProperty({ type: String, nullable: true, description: 'What a person must know when sandboxes are not isolated.' })
  isolationWarning!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What a person must know when no real model answers.' })
  modelNotice!: string | null;
}

export class EventAnswer {
  @ApiProperty({ description: 'Decimal; two ids of one session compare as integers.' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The session\u2019s event before this one.' })
  prev!: string | null;

  @ApiProperty()
  sessionId!: string;

  @ApiProperty({ enum: SESSION_LANES })
  lane!: string;

  @ApiProperty()
  type!: string;

  @ApiProperty()
  v!: number;

  @ApiProperty(TIME)
  at!: string;

  @ApiProperty({ ...OBJECT, description: '{kind, id, name}' })
  actor!: object;

  @ApiPropertyOptional()
  turnId?: string;

  @ApiProperty({ ...OBJECT, description: 'As the proto message of its type says.' })
  data!: object;

  @ApiPropertyOptional({ description: 'W3C trace context of the request that led to it.' })
  traceparent?: string;
}

export class EventsPage {
  @ApiProperty({ description: 'Another one: drop every event id you hold.' })
  epoch!: string;

  @ApiProperty({ type: [EventAnswer] })
  events!: EventAnswer[];

  @ApiProperty()
  head!: string;

  @ApiProperty()
  more!: boolean;
}

export class FilesAnswer extends HeadAnswer {
  @ApiProperty({ ...OBJECTS, description: '{path, change, \u2026}' })
  files!: object[];

  @ApiProperty()
  total!: number;
}

export class AgentsAnswer {
  @ApiProperty({ ...OBJECTS, description: '{agent, model, provider, notice}' })
  agents!: object[];

  @ApiProperty({ ...OBJECT, nullable: true, description: '{driver, isolation, warning}' })
  sandbox!: object | null;
}

export class ProblemAnswer {
  @ApiProperty()
  type!: string;

  @ApiProperty()
  title!: string;

  @ApiProperty()
  status!: number;

  @ApiProperty({ description: 'For a person.' })
  detail!: string;

  @ApiProperty({ description: 'Stable.' })
  code!: string;

  @ApiProperty(OBJECT)
  details!: object;
}
