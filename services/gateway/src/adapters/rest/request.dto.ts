import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min, ValidateIf } from 'class-validator';

import { MAX_TITLE_CHARS, SESSION_STATUSES } from '@bullpen/contracts';
import type { SessionStatus } from '@bullpen/contracts';

const MAX_SOURCE_CHARS = 4_096;
const MAX_NAME_CHARS = 255;
export const DEFAULT_EVENTS = 500;
const MAX_EVENTS = 1_000;
const MAX_ROWS = 200;

export class CreateSessionBody {
  @ApiProperty({
    description: '`sample`, a repository id, an https or ssh URL, or in local mode an absolute path.',
    example: 'sample',
  })
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_SOURCE_CHARS)
  repository!: string;

  @ApiPropertyOptional({ description: 'Where to start from; the default branch without it.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_NAME_CHARS)
  branch?: string;

  @ApiPropertyOptional({ maxLength: MAX_TITLE_CHARS, description: 'The first line of the prompt without it.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_TITLE_CHARS)
  title?: string;

  @ApiPropertyOptional({ description: 'At most 128 KiB of UTF-8. Without it the session waits for its first prompt.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  prompt?: string;

  @ApiPropertyOptional({ description: 'One of GET /api/v1/agents.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_NAME_CHARS)
  agent?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_NAME_CHARS)
  model?: string;
}

export class SignInBody {
  @ApiProperty({ description: 'What stands after `#code=` in the link that `make up` and `./bullpen open` print.' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_NAME_CHARS)
  code!: string;
}

export class QueuePromptBody {
  @ApiProperty({ description: 'At most 128 KiB of UTF-8.' })
  @IsString()
  @IsNotEmpty()
  text!: string;
}

export class RenameSessionBody {
  @ApiProperty({ maxLength: MAX_TITLE_CHARS })
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_TITLE_CHARS)
  title!: string;
}

export class EditPromptBody {
  @ApiPropertyOptional({ description: 'What it says now; at most 128 KiB of UTF-8.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  text?: string;

  @ApiPropertyOptional({ type: String, nullable: true, description: 'The waiting prompt that it is to stand before; null: the end of the queue.' })
  @ValidateIf((_body, value) => value !== null && value !== undefined)
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  before?: string | null;
}

export class AddRepositoryBody {
  @ApiProperty({ description: 'An https or ssh URL, in local mode an absolute path, or `sample`.' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_SOURCE_CHARS)
  source!: string;

  @ApiPropertyOptional({ description: 'What people call it; without it as the source is called.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(MAX_TITLE_CHARS)
  name?: string;
}

export class ListRepositoriesQuery {
  @ApiPropertyOptional({ description: '`head` of a session that was just created: the list waits up to a second for it.' })
  @IsOptional()
  @IsString()
  @MaxLength(20)
  after?: string;
}

export class ListSessionsQuery {
  @ApiPropertyOptional({ description: 'Words, or beginnings of words, that title, prompts or repository hold: all of them.' })
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  q?: string;

  @ApiPropertyOptional({ description: 'Id of a repository.' })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  repository?: string;

  @ApiPropertyOptional({ enum: SESSION_STATUSES, description: 'Without it: all but archived ones.' })
  @IsOptional()
  @IsIn(SESSION_STATUSES)
  status?: SessionStatus;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before.' })
  @IsOptional()
  @IsString()
  @MaxLength(1_000)
  cursor?: string;

  @ApiPropertyOptional({ minimum: 1, maximum: MAX_ROWS, default: 50 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_ROWS)
  limit?: number;

  @ApiPropertyOptional({ description: '`head` of a command: the list waits up to a second for it, else says `stale: true`.' })
  @IsOptional()
  @IsString()
  @MaxLength(20)
  after?: string;
}

export class EventsQuery {
  @ApiPropertyOptional({ description: '`0`, or the id of an event of this session.' })
  @IsOptional()
  @IsString()
  @MaxLength(20)
  after?: string;

  @ApiPropertyOptional({ description: 'The page that ends before this event. Not together with `after`.' })
  @IsOptional()
  @IsString()
  @MaxLength(20)
  before?: string;

  @ApiPropertyOptional({ minimum: 1, maximum: MAX_EVENTS, default: DEFAULT_EVENTS })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_EVENTS)
  limit?: number;
}

export class DiffQuery {
  @ApiPropertyOptional({ description: 'Id of a turn: what that turn changed. Without it: what the session changed.' })
  @IsOptional()
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  turn?: string;
}
