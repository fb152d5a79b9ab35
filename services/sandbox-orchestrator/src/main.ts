import { createLogger } from '@bullpen/telemetry';

import { loadOrchestratorConfig, startOrchestrator } from './index.js';

const logger = createLogger('sandbox-orchestrator');

try {
  const service = await startOrchestrator(loadOrchestratorConfig(), logger);
  logger.info('sandbox orchestrator started');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Alone in its process it is being restarted: sandboxes stay and connect to the next one.
    process.once(signal, () => {
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error('sandbox orchestrator did not stop cleanly', { error });
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  logger.error('sandbox orchestrator cannot start', { error });
  process.exit(1);
}
