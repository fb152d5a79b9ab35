import 'reflect-metadata';

import { loadGatewayConfig, startGateway } from '@bullpen/gateway';
import { loadOrchestratorConfig, startOrchestrator, type OrchestratorService } from '@bullpen/sandbox-orchestrator';
import { loadSessionConfig, startSession } from '@bullpen/session';
import { createLogger } from '@bullpen/telemetry';

interface Service {
  close(): Promise<void>;
}

/** Sandboxes get this long to end in order; the supervisor's patience is longer. */
const DRAIN_TIMEOUT_MS = 15_000;

/** All services in one process, talking gRPC over loopback as they would across machines. */
const logger = createLogger('platform');
const started: { orchestrator?: OrchestratorService; session?: Service; gateway?: Service } = {};

async function start(environment: NodeJS.ProcessEnv): Promise<void> {
  // All of them first: a wrong variable must not leave half a platform.
  const orchestrator = loadOrchestratorConfig(environment);
  const session = loadSessionConfig(environment);
  const gateway = loadGatewayConfig(environment);
  started.orchestrator = await startOrchestrator(orchestrator, createLogger('sandbox-orchestrator'));
  started.session = await startSession(session, createLogger('session'));
  started.gateway = await startGateway(gateway, createLogger('gateway'));
  logger.info('platform started');
}

/** Sandboxes end while the session service still runs: it turns their last events into ends of turns. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  logger.info('platform stopping', { signal });
  await attempt('drain the sandboxes', async () => {
    const drained = await started.orchestrator?.drain({ timeoutMs: DRAIN_TIMEOUT_MS });
    if (drained === false) logger.warn('some sandboxes did not end in time', { timeoutMs: DRAIN_TIMEOUT_MS });
  });
  await attempt('close the gateway', async () => started.gateway?.close());
  await attempt('close the session service', async () => started.session?.close());
  await attempt('close the orchestrator', async () => started.orchestrator?.close());
  process.exit(0);
}

/** What does not stop must not keep the rest from stopping. */
async function attempt(what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    logger.error('a step of the stop failed', { what, error });
  }
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));

try {
  await start(process.env);
} catch (error) {
  logger.error('platform does not start', { error });
  process.exit(1);
}
