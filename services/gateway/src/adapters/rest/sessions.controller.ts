import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { isEntityId } from '@bullpen/contracts';

import type { GatewayConfig } from '../../config.js';
import { GATEWAY_CONFIG } from '../../tokens.js';
import { sessionNotFound } from '../log/event-pages.js';
import { LOCAL_ORGANISATION, SESSION_CALLS, requestContext } from '../rpc/rpc.providers.js';
import type { SessionCalls } from '../rpc/rpc.providers.js';
import { SessionReader } from '../rpc/session-reader.js';
import { IdempotencyKey } from './idempotency-key.js';
import { CreateSessionBody, ListSessionsQuery, QueuePromptBody } from './request.dto.js';
import { sessionRow, sessionView } from './session.view.js';
import { valid } from './validation.js';

const KEY_HEADER = { name: 'Idempotency-Key', required: false, description: 'The same key and body give the same answer.' };

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
  @ApiResponse({ status: 201, description: 'The session as of `head`, its last event, and `promptId`.' })
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
  @ApiResponse({ status: 200, description: '{sessions, nextCursor, stale}' })
  async list(@Query(valid(ListSessionsQuery)) query: ListSessionsQuery) {
    const { status = '', cursor = '', limit = 0, after = '' } = query;
    const page = await this.calls.listSessions({ organisationId: LOCAL_ORGANISATION, status, cursor, limit, after });
    return { sessions: page.sessions.map(sessionRow), nextCursor: page.nextCursor || null, stale: page.stale };
  }

  @Get(':id')
  @ApiOperation({ summary: 'The session as it is now: the fold of its events.' })
  @ApiResponse({ status: 200, description: 'SessionState, with `isolationWarning` and `modelNotice`.' })
  async get(@Param('id') id: string) {
    return sessionView((await this.sessions.load(id)).state);
  }

  @Post(':id/prompts')
  @HttpCode(202)
  @ApiOperation({ summary: 'Queues a prompt; its turn starts at once when none runs.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 202, description: '{promptId, position, head}; position 0: its turn started.' })
  @ApiResponse({ status: 413, description: 'prompt.too-large' })
  async prompt(@Param('id') id: string, @Body(valid(QueuePromptBody)) { text }: QueuePromptBody, @IdempotencyKey() key: string) {
    const { promptId, position, head } = await this.calls.queuePrompt({ ...this.#command(id, key), text });
    return { promptId, position, head };
  }

  @Post(':id/cancel')
  @HttpCode(202)
  @ApiOperation({ summary: 'Asks the running turn to stop.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 202, description: '{cancelling, head}; false when no turn was running.' })
  async cancel(@Param('id') id: string, @IdempotencyKey() key: string) {
    const { cancelling, head } = await this.calls.cancelTurn(this.#command(id, key));
    return { cancelling, head };
  }

  @Post(':id/retry')
  @HttpCode(202)
  @ApiOperation({ summary: 'Starts the last failed turn again, as a new attempt.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 202, description: '{retrying, head}; false when there was nothing to retry.' })
  async retry(@Param('id') id: string, @IdempotencyKey() key: string) {
    const { retrying, head } = await this.calls.retryTurn(this.#command(id, key));
    return { retrying, head };
  }

  #command(sessionId: string, key: string) {
    if (!isEntityId(sessionId)) throw sessionNotFound(sessionId);
    return { context: requestContext(this.config, key), sessionId };
  }
}
