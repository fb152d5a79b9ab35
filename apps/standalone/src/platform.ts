import { loadGatewayConfig, startGateway } from '@bullpen/gateway';
import { loadOrchestratorConfig, startOrchestrator } from '@bullpen/sandbox-orchestrator';
import { loadSessionConfig, startSession } from '@bullpen/session';
import { createLogger } from '@bullpen/telemetry';

/** All services in one process, talking gRPC over loopback as they would across machines. */
const logger = createLogger('platform');
const started = new Map<string, { close(): Promise<void> }>();

async function start(): Promise<void> {
  const environment = process.env;
  // All of them first: a wrong variable must not leave half a platform.
  const orchestrator = loadOrchestratorConfig(environment);
  const session = loadSessionConfig(environment);
  const gateway = loadGatewayConfig(environment);
  started.set('orchestrator', await startOrchestrator(orchestrator, createLogger('sandbox-orchestrator')));
  started.set('session', await startSession(session, createLogger('session')));
  started.set('gateway', await startGateway(gateway, createLogger('gateway')));
  logger.info('platform started');
}

/** The gateway first, so that nothing new comes in; then the orchestrator, whose last events the session service still turns into ends of turns. */
async function stop(signal: NodeJS.Signals): Promise<void> {
  logger.info('platform stopping', { signal });
  for (const name of ['gateway', 'orchestrator', 'session']) {
    try {
      await started.get(name)?.close();
    } catch (error) {
      logger.error('service did not close', { name, error });
    }
  }
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal));

try {
  await start();
} catch (error) {
  logger.error('platform does not start', { error });
  process.exit(1);
}
