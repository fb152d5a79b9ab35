import { createLogger } from '@bullpen/telemetry';

import { loadGatewayConfig } from './config.js';
import { startGateway } from './gateway.js';

const logger = createLogger('gateway');
try {
  const gateway = await startGateway(loadGatewayConfig(), logger);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void gateway.close().then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error('gateway did not close in order', { error });
          process.exit(1);
        },
      );
    });
  }
} catch (error) {
  logger.error('gateway could not start', { error });
  process.exit(1);
}
