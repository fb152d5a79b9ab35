import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { prepareNats, waitForNats } from '@bullpen/embedded';
import { ensureEventStream } from '@bullpen/event-log';
import type { NatsPasswords } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import { ServerProcess, temporaryFolder } from './server-process.js';
import { freePort, startTcpProxy } from './tcp-proxy.js';
import type { TcpProxy } from './tcp-proxy.js';

export interface TestNats {
  readonly url: string;
  readonly port: number;
  readonly passwords: NatsPasswords;
  /** Where the server keeps the log. */
  readonly storeDir: string;
  /** Ends the server as a power cut would, and leaves it down. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and data; first ends it when it still runs. */
  restart(): Promise<void>;
  /** A way to the server that can be cut; ends with the server. */
  cutProxy(): Promise<TcpProxy & { readonly url: string }>;
  stop(): Promise<void>;
}

/** A real server on a free port, with the users of the platform and the event stream made. */
export async function startTestNats(): Promise<TestNats> {
  const folder = await temporaryFolder('nats');
  const port = await freePort();
  const passwords = { session: password(), orchestrator: password(), gateway: password(), admin: password() };
  const options = { storeDir: join(folder.path, 'store'), configFile: join(folder.path, 'nats.conf'), port, passwords };
  const server = new ServerProcess(await prepareNats(options));
  const proxies: TcpProxy[] = [];
  const url = `nats://127.0.0.1:${port}`;
  const start = async (): Promise<void> => {
    server.start();
    await waitForNats({ port });
  };
  await start();
  await ensureEventStream({ url, password: passwords.admin, logger: silentLogger });
  return {
    storeDir: options.storeDir,
    url,
    port,
    passwords,
    kill9: () => server.stop('SIGKILL'),
    restart: async () => {
      await server.stop('SIGTERM');
      await start();
    },
    cutProxy: async () => {
      const proxy = await startTcpProxy({ port });
      proxies.push(proxy);
      return { ...proxy, url: `nats://127.0.0.1:${proxy.port}` };
    },
    stop: async () => {
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await server.stop('SIGTERM');
      await folder.remove();
    },
  };
}

function password(): string {
  return randomBytes(16).toString('hex');
}
