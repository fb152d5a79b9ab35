import { Controller, Get, Header, Inject, Redirect } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import { Fault } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';
import { METRICS_CONTENT_TYPE, metricsText } from '@bullpen/telemetry';

import { EVENT_LOG } from '../../tokens.js';
import { LOCAL_ORGANISATION, SESSION_CALLS } from '../rpc/rpc.providers.js';
import type { SessionCalls } from '../rpc/rpc.providers.js';
import { HealthAnswer, ReadyAnswer } from './response.dto.js';

const READY_TIMEOUT_MS = 2_000;

/** What answers without a token. */
@ApiTags('platform')
@Controller()
export class HealthController {
  constructor(
    @Inject(SESSION_CALLS) private readonly session: SessionCalls,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  @Get()
  @Redirect('/api/docs', 302)
  @ApiExcludeEndpoint()
  root(): void {}

  @Get('healthz')
  @ApiOperation({ summary: 'Whether this process runs.' })
  @ApiResponse({ status: 200, type: HealthAnswer, description: 'It runs.' })
  health() {
    return { status: 'ok' };
  }

  @Get('readyz')
  @ApiOperation({ summary: 'Whether the log and the session service answer; 503 with what does not.' })
  @ApiResponse({ status: 200, type: ReadyAnswer, description: 'Both answer.' })
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

  @Get('metrics')
  @Header('Content-Type', METRICS_CONTENT_TYPE)
  @ApiOperation({ summary: 'What this process has counted and measured, for Prometheus: figures, and nothing of any session.' })
  @ApiResponse({ status: 200, description: 'Prometheus text format.', content: { 'text/plain': { schema: { type: 'string' } } } })
  metrics() {
    return metricsText();
  }
}

async function answers(ask: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> {
  const signal = AbortSignal.timeout(READY_TIMEOUT_MS);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Fault('platform.not-ready', 'No answer in time.')));
  });
  try {
    await Promise.race([ask(signal), late]);
    return true;
  } catch {
    return false;
  }
}
