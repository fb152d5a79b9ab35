import { RUNNER_EXIT } from '@bullpen/contracts';

import { createRunner } from './start.js';

// A log that ended, as on a full disk, must not end the runner.
process.stderr.on('error', () => undefined);
process.once('unhandledRejection', (error) => fail(error));

const runner = await createRunner(process.env).catch(fail);
process.once('SIGTERM', () => void runner.stop('SIGTERM'));
process.once('SIGINT', () => void runner.stop('SIGINT'));
process.exit(await runner.run());

function fail(error: unknown): never {
  process.stderr.write(`${JSON.stringify({ level: 'error', msg: 'runner broke', error: String(error) })}\n`);
  process.exit(RUNNER_EXIT.crashed);
}
