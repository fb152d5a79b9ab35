import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import type { GatewayConfig } from '../../config.js';
import { GATEWAY_CONFIG } from '../../tokens.js';
import { LOCAL_ORGANISATION, SESSION_CALLS, requestContext, sessionCommand } from '../rpc/rpc.providers.js';
import type { SessionCalls } from '../rpc/rpc.providers.js';
import { SessionReader } from '../rpc/session-reader.js';
import { IdempotencyKey } from './idempotency-key.js';
import { CreateSessionBody, ListSessionsQuery, RenameSessionBody } from './request.dto.js';
import { ChangedAnswer, HeadAnswer, SessionAnswer, SessionsPage } from './response.dto.js';
import { sessionRow, sessionView } from './session.view.js';
import { valid } from './validation.js';

export const KEY_HEADER = { name: 'Idempotency-Key', required: false, description: 'The same key and body give the same answer.' };

@ApiTags('sessions')
@ApiBearerAuth()
@Controller('api/v1/sessions')
export class SessionsController {
  constructor(
    @Inject(SESSION_CALLS) private readonly calls: SessionCalls,
    @Inject(SessionReader) private readonly sessions: SessionReader,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Creates a session, with its first prompt if there is one.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 201, type: SessionAnswer, description: 'The session as of `head`, its last event, and `promptId`.' })
  @ApiResponse({
    status: 422,
    description: 'repository.not-found, .not-git, .not-readable, .empty, .branch-missing; idempotency.mismatch',
  })
  async create(@Body(valid(CreateSessionBody)) body: CreateSessionBody, @IdempotencyKey() key: string) {
    const { repository, branch = '', title = '', prompt = '', agent = '', model = '' } = body;
    const request = { context: requestContext(this.config, key), repository, branch, title, prompt, agent, model };
    const { sessionId, promptId } = await this.calls.createSession(request);
    const { state } = await this.sessions.load(sessionId);
    return { ...sessionView(state), ...(promptId === '' ? {} : { promptId }) };
  }

  @Get()
  @ApiOperation({ summary: 'Lists sessions, newest first.' })
  @ApiResponse({ status: 200, type: SessionsPage, description: 'A page' })
  async list(@Query(valid(ListSessionsQuery)) query: ListSessionsQuery) {
    const { q = '', repository = '', status = '', cursor = '', limit = 0, after = '' } = query;
    const filter = { query: q, repositoryId: repository, status };
    const page = await this.calls.listSessions({ organisationId: LOCAL_ORGANISATION, ...filter, cursor, limit, after });
    return { sessions: page.sessions.map(sessionRow), nextCursor: page.nextCursor || null, stale: page.stale };
  }

  @Get(':id')
  @ApiOperation({ summary: 'The session as it is now: the fold of its events.' })
  @ApiResponse({ status: 200, type: SessionAnswer, description: 'SessionState, with `isolationWarning` and `modelNotice`.' })
  async get(@Param('id') id: string) {
    return sessionView((await this.sessions.load(id)).state);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Gives the session another title.' })
  @ApiResponse({ status: 200, type: HeadAnswer, description: 'It is so.' })
  async rename(@Param('id') id: string, @Body(valid(RenameSessionBody)) { title }: RenameSessionBody) {
    const { head } = await this.calls.renameSession({ ...this.#command(id, ''), title });
    return { head };
  }

  @Post(':id/archive')
  @HttpCode(200)
  @ApiOperation({ summary: 'Cancels what runs and takes the session out of the list; prompts that wait stay in its queue.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 200, type: ChangedAnswer, description: '{changed, head}; false when it was archived already.' })
  async archive(@Param('id') id: string, @IdempotencyKey() key: string) {
    const { changed, head } = await this.calls.archiveSession(this.#command(id, key));
    return { changed, head };
  }

  @Post(':id/unarchive')
  @HttpCode(200)
  @ApiOperation({ summary: 'Brings an archived session back; its queue goes on.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 200, type: ChangedAnswer, description: '{changed, head}; false when it was not archived.' })
  async unarchive(@Param('id') id: string, @IdempotencyKey() key: string) {
    const { changed, head } = await this.calls.unarchiveSession(this.#command(id, key));
    return { changed, head };
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Cancels what runs and deletes the session for good: its events, objects and files are erased soon after.' })
  @ApiResponse({ status: 200, type: HeadAnswer, description: '{head}: the list no longer has it `after` that.' })
  async remove(@Param('id') id: string) {
    const { head } = await this.calls.deleteSession(this.#command(id, ''));
    return { head };
  }

  #command(sessionId: string, key: string) {
    return sessionCommand(this.config, sessionId, key);
  }
}
