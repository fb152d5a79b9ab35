import { z } from 'zod';

import { loadConfig, portVariable } from '@bullpen/config';
import { createLogger } from '@bullpen/telemetry';

import { startScriptedModel } from './server.js';

const { SCRIPTED_MODEL_PORT } = loadConfig(z.object({ SCRIPTED_MODEL_PORT: portVariable }));
const logger = createLogger('scripted-model');
const model = await startScriptedModel({ port: SCRIPTED_MODEL_PORT });
logger.info('scripted model listening', { url: model.url });

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    logger.info('scripted model stopping', { signal });
    void model.close();
  });
}
