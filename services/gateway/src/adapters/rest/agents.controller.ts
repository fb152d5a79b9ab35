import { Controller, Get, Inject } from '@nestjs/common';
import { ApiBearerAuth, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { SCRIPTED_MODEL_NOTICE } from '@bullpen/contracts';
import type { Logger } from '@bullpen/telemetry';

import type { GatewayConfig } from '../../config.js';
import { GATEWAY_CONFIG, LOGGER } from '../../tokens.js';
import { ORCHESTRATOR_CALLS } from '../rpc/rpc.providers.js';
import type { OrchestratorCalls } from '../rpc/rpc.providers.js';
import { AgentsAnswer } from './response.dto.js';

@ApiTags('platform')
@ApiBearerAuth()
@Controller('api/v1/agents')
export class AgentsController {
  constructor(
    @Inject(ORCHESTRATOR_CALLS) private readonly orchestrator: OrchestratorCalls,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Agents that sessions can use, the model behind them, and how sandboxes run here.' })
  @ApiResponse({
    status: 200,
    type: AgentsAnswer,
    description: '{agents: [{agent, model, provider, notice}], sandbox: {driver, isolation, warning} | null}',
  })
  async agents() {
    const { BULLPEN_MODEL: model, BULLPEN_MODEL_PROVIDER: provider } = this.config;
    const notice = provider === 'scripted' ? SCRIPTED_MODEL_NOTICE : null;
    return { agents: [{ agent: 'pi', model, provider, notice }], sandbox: await this.#sandbox() };
  }

  /** Null while the orchestrator does not answer: agents can be named without it. */
  async #sandbox() {
    try {
      const { driver, isolation, warning } = await this.orchestrator.getCapabilities({});
      return { driver, isolation, warning: warning || null };
    } catch (error) {
      this.logger.warn('the orchestrator did not say how sandboxes run', { error });
      return null;
    }
  }
}
