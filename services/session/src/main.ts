import { createLogger } from '@bullpen/telemetry';

import { loadSessionConfig, startSession } from './index.js';

const logger = createLogger('session');

try {
  const service = await startSession(loadSessionConfig(), logger);
  logger.info('session service started');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error('session service did not stop cleanly', { error });
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  logger.error('session service cannot start', { error });
  process.exit(1);
}
