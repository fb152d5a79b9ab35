import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { prepareNats, waitForNats } from '@bullpen/embedded';
import { ensureEventStream } from '@bullpen/event-log';
import type { NatsPasswords } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import { ServerProcess, temporaryFolder } from './server-process.js';
import { freePort } from './tcp-proxy.js';

const SERVERS = 3;
/** Servers find each other and choose a leader before a stream can be made. */
const FORMING_MS = 60_000;
const FORMING_POLL_MS = 250;

export interface TestNatsCluster {
  /** Of all servers. */
  readonly url: string;
  /** Of each. */
  readonly urls: readonly string[];
  readonly passwords: NatsPasswords;
  /** Ends one server as a power cut would, and leaves it down. */
  kill9(index: number): Promise<void>;
  /** Starts it again on the same ports and data. */
  restart(index: number): Promise<void>;
  stop(): Promise<void>;
}

/** Three real servers on free ports that keep three copies of the event stream. */
export async function startTestNatsCluster(): Promise<TestNatsCluster> {
  const folder = await temporaryFolder('nats-cluster');
  const nodes: { port: number; route: number }[] = [];
  for (let index = 0; index < SERVERS; index += 1) nodes.push({ port: await freePort(), route: await freePort() });
  const passwords = { session: secret(), orchestrator: secret(), gateway: secret(), admin: secret() };
  const routePassword = secret();
  const specs = nodes.map(({ port, route }, index) => {
    const routes = nodes.filter((other) => other.route !== route).map((other) => `127.0.0.1:${other.route}`);
    return prepareNats({
      storeDir: join(folder.path, `store-${index}`),
      configFile: join(folder.path, `nats-${index}.conf`),
      port,
      passwords,
      cluster: { serverName: `bullpen-${index}`, port: route, routes, password: routePassword },
    });
  });
  const servers = (await Promise.all(specs)).map((spec) => new ServerProcess(spec));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop('SIGTERM')));
    await folder.remove();
  };
  const urls = nodes.map(({ port }) => `nats://127.0.0.1:${port}`);
  const url = urls.join(',');
  try {
    for (const server of servers) server.start();
    await Promise.all(nodes.map(({ port }) => waitForNats({ port })));
    await makeStream(url, passwords.admin);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    urls,
    passwords,
    kill9: async (index) => servers[index]?.stop('SIGKILL'),
    restart: async (index) => {
      servers[index]?.start();
      await waitForNats({ port: nodes[index]?.port ?? 0 });
    },
    stop,
  };
}

async function makeStream(url: string, password: string): Promise<void> {
  const deadline = Date.now() + FORMING_MS;
  for (;;) {
    try {
      await ensureEventStream({ url, password, logger: silentLogger, replicas: SERVERS });
      return;
    } catch (error) {
      if (Date.now() >= deadline) throw error;
      await delay(FORMING_POLL_MS);
    }
  }
}

function secret(): string {
  return randomBytes(16).toString('hex');
}
