import { Body, Controller, Delete, HttpCode, Inject, Param, Patch, Post } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { Rejection } from '@bullpen/errors';

import type { GatewayConfig } from '../../config.js';
import { GATEWAY_CONFIG } from '../../tokens.js';
import { SESSION_CALLS, sessionCommand } from '../rpc/rpc.providers.js';
import type { SessionCalls } from '../rpc/rpc.providers.js';
import { IdempotencyKey } from './idempotency-key.js';
import { EditPromptBody, QueuePromptBody } from './request.dto.js';
import { CancelAnswer, HeadAnswer, PromptAnswer, RetryAnswer } from './response.dto.js';
import { KEY_HEADER } from './sessions.controller.js';
import { valid } from './validation.js';

/** What a session is to do: prompts, and the turns that come of them. */
@ApiTags('turns')
@ApiBearerAuth()
@Controller('api/v1/sessions/:id')
export class TurnsController {
  constructor(
    @Inject(SESSION_CALLS) private readonly calls: SessionCalls,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
  ) {}

  @Post('prompts')
  @HttpCode(202)
  @ApiOperation({ summary: 'Queues a prompt; its turn starts at once when none runs.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 202, type: PromptAnswer, description: '{promptId, position, head}; position 0: its turn started.' })
  @ApiResponse({ status: 413, description: 'prompt.too-large' })
  async prompt(@Param('id') id: string, @Body(valid(QueuePromptBody)) { text }: QueuePromptBody, @IdempotencyKey() key: string) {
    const { promptId, position, head } = await this.calls.queuePrompt({ ...sessionCommand(this.config, id, key), text });
    return { promptId, position, head };
  }

  @Post('cancel')
  @HttpCode(202)
  @ApiOperation({ summary: 'Asks the running turn to stop.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 202, type: CancelAnswer, description: '{cancelling, head}; false when no turn was running.' })
  async cancel(@Param('id') id: string, @IdempotencyKey() key: string) {
    const { cancelling, head } = await this.calls.cancelTurn(sessionCommand(this.config, id, key));
    return { cancelling, head };
  }

  @Post('retry')
  @HttpCode(202)
  @ApiOperation({ summary: 'Starts the last failed turn again, as a new attempt.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 202, type: RetryAnswer, description: '{retrying, head}; false when there was nothing to retry.' })
  async retry(@Param('id') id: string, @IdempotencyKey() key: string) {
    const { retrying, head } = await this.calls.retryTurn(sessionCommand(this.config, id, key));
    return { retrying, head };
  }

  @Patch('prompts/:promptId')
  @ApiOperation({ summary: 'Changes what a waiting prompt says, its place in the queue, or both.' })
  @ApiResponse({ status: 200, type: PromptAnswer, description: 'It is so.' })
  @ApiResponse({ status: 409, description: 'prompt.not-waiting' })
  async edit(@Param('id') id: string, @Param('promptId') promptId: string, @Body(valid(EditPromptBody)) body: EditPromptBody) {
    const { text, before } = body;
    if (text === undefined && before === undefined) {
      throw new Rejection('request.invalid', 'Nothing to change: give `text`, `before`, or both.', { fields: ['text', 'before'] });
    }
    const edit = { text: text ?? '', move: before !== undefined, before: before ?? '' };
    const { position, head } = await this.calls.editPrompt({ ...sessionCommand(this.config, id, ''), promptId, ...edit });
    return { promptId, position, head };
  }

  @Delete('prompts/:promptId')
  @ApiOperation({ summary: 'Takes a waiting prompt out of the queue.' })
  @ApiResponse({ status: 200, type: HeadAnswer, description: 'It is so.' })
  @ApiResponse({ status: 409, description: 'prompt.not-waiting' })
  async withdraw(@Param('id') id: string, @Param('promptId') promptId: string) {
    const { head } = await this.calls.withdrawPrompt({ ...sessionCommand(this.config, id, ''), promptId });
    return { head };
  }
}
