import { Controller, Get, Header, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';

import { isEntityId } from '@bullpen/contracts';
import type { ObjectRef } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { ObjectStore } from '@bullpen/event-log';
import type { SessionState } from '@bullpen/session-model';

import { OBJECT_STORE } from '../../tokens.js';
import { EventPages, sessionNotFound } from '../log/event-pages.js';
import { SessionReader } from '../rpc/session-reader.js';
import { DEFAULT_EVENTS, DiffQuery, EventsQuery } from './request.dto.js';
import { EventsPage, FilesAnswer } from './response.dto.js';
import { valid } from './validation.js';

const SHA256 = /^[0-9a-f]{64}$/;
const EMPTY = new Uint8Array();

/** What a session holds: events, files, diffs, objects. None of it is read from the sandbox. */
@ApiTags('sessions')
@ApiBearerAuth()
@Controller('api/v1/sessions/:id')
export class SessionContentsController {
  constructor(
    @Inject(EventPages) private readonly pages: EventPages,
    @Inject(SessionReader) private readonly sessions: SessionReader,
    @Inject(OBJECT_STORE) private readonly objects: ObjectStore,
  ) {}

  @Get('events')
  @ApiOperation({ summary: 'A page of the session’s events, oldest first.' })
  @ApiResponse({ status: 200, type: EventsPage, description: 'A page.' })
  events(@Param('id') sessionId: string, @Query(valid(EventsQuery)) { after, before, limit = DEFAULT_EVENTS }: EventsQuery) {
    if (!isEntityId(sessionId)) throw sessionNotFound(sessionId);
    if (after !== undefined && before !== undefined) {
      throw new Rejection('request.invalid', 'A page is `after` an event or `before` one, not both.', {
        fields: ['after', 'before'],
      });
    }
    return this.pages.page({ sessionId, after, before, limit });
  }

  @Get('files')
  @ApiOperation({ summary: 'Files that differ from where the session started.' })
  @ApiResponse({ status: 200, type: FilesAnswer, description: 'All of them.' })
  async files(@Param('id') id: string) {
    const { files, filesTotal, head } = (await this.sessions.load(id)).state;
    return { files, total: filesTotal, head };
  }

  @Get('diff')
  @Header('Content-Type', 'text/x-diff; charset=utf-8')
  @ApiProduces('text/x-diff')
  @ApiOperation({ summary: 'What the session, or one turn of it, changed: a git patch. Empty when nothing did.' })
  async diff(@Param('id') id: string, @Query(valid(DiffQuery)) { turn }: DiffQuery): Promise<StreamableFile> {
    const patch = patchOf((await this.sessions.load(id)).state, turn);
    const bytes = patch === null || patch.sha256 === '' ? EMPTY : await this.objects.get(patch.sha256);
    return new StreamableFile(bytes, { type: 'text/x-diff; charset=utf-8', length: bytes.byteLength });
  }

  @Get('objects/:sha256')
  @ApiProduces('application/octet-stream')
  @ApiOperation({ summary: 'An object that an event of this session names.' })
  async object(@Param('id') sessionId: string, @Param('sha256') sha256: string): Promise<StreamableFile> {
    if (!isEntityId(sessionId)) throw sessionNotFound(sessionId);
    if (!SHA256.test(sha256)) throw new Rejection('object.not-found', 'An object is named by 64 lower-case hex digits.');
    await this.pages.requireObject(sessionId, sha256);
    const bytes = await this.objects.get(sha256);
    return new StreamableFile(bytes, { type: 'application/octet-stream', disposition: 'attachment', length: bytes.byteLength });
  }
}

function patchOf(state: SessionState, turnId: string | undefined): ObjectRef | null {
  if (turnId === undefined) return state.checkpoint?.patch ?? null;
  const turn = state.turns.find((candidate) => candidate.turnId === turnId);
  if (turn !== undefined) return turn.checkpoint?.turnPatch ?? null;
  throw new Rejection('turn.not-found', `Session ${state.sessionId} has no turn ${turnId}.`, {
    sessionId: state.sessionId,
    turnId,
  });
}
