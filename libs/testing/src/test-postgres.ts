import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { postgresUrl, preparePostgres, waitForPostgres } from '@bullpen/embedded';

import { ServerProcess, temporaryFolder } from './server-process.js';
import { freePort } from './tcp-proxy.js';

export interface TestPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

/** A real, empty server on a free port. */
export async function startTestPostgres(): Promise<TestPostgres> {
  const folder = await temporaryFolder('postgres');
  const settings = { port: await freePort(), password: randomBytes(16).toString('hex') };
  const server = new ServerProcess(await preparePostgres({ dataDir: join(folder.path, 'data'), ...settings }));
  server.start();
  const url = postgresUrl(settings);
  await waitForPostgres({ url });
  return {
    url,
    stop: async () => {
      await server.stop('SIGINT');
      await folder.remove();
    },
  };
}
