import { Controller, Get, Inject, Redirect } from '@nestjs/common';
import { ApiBearerAuth, ApiExcludeEndpoint, ApiOperation, ApiTags } from '@nestjs/swagger';

import { SCRIPTED_MODEL_NOTICE } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';
import type { Logger } from '@bullpen/telemetry';

import type { GatewayConfig } from '../../config.js';
import { EVENT_LOG, GATEWAY_CONFIG, LOGGER } from '../../tokens.js';
import { LOCAL_ORGANISATION, ORCHESTRATOR_CALLS, SESSION_CALLS } from '../rpc/rpc.providers.js';
import type { OrchestratorCalls, SessionCalls } from '../rpc/rpc.providers.js';

const READY_TIMEOUT_MS = 2_000;

@ApiTags('platform')
@Controller()
export class PlatformController {
  constructor(
    @Inject(SESSION_CALLS) private readonly session: SessionCalls,
    @Inject(ORCHESTRATOR_CALLS) private readonly orchestrator: OrchestratorCalls,
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get()
  @Redirect('/api/docs', 302)
  @ApiExcludeEndpoint()
  root(): void {}

  @Get('healthz')
  @ApiOperation({ summary: 'Whether this process runs.' })
  health() {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Whether the log and the session service answer; 503 with what does not.' })
  async ready() {
    const [log, session] = await Promise.all([
      answers(() => this.log.lastSequence()),
      answers((signal) => this.session.listSessions({ organisationId: LOCAL_ORGANISATION, limit: 1 }, { signal })),
    ]);
    const checks = { log, session };
    if (log && session) return { status: 'ready', checks };
    const missing = Object.entries(checks).flatMap(([name, fine]) => (fine ? [] : [name]));
    throw new Fault('platform.not-ready', `Not ready: no answer from ${missing.join(' and ')}.`, { details: { checks } });
  }

  @Get('api/v1/agents')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Agents that sessions can use, the model behind them, and how sandboxes run here.' })
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

async function answers(ask: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
  const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  try {
    await Promise.race([ask(signal), late]);
    return true;
  } catch {
    return false;
  }
}
