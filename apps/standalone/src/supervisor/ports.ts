import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

import { Rejection } from '@bullpen/errors';

import { PORT_NAMES, type PortName } from './run-file.js';

/** @throws Rejection `port.taken` naming the port and the variable that changes it */
export async function requireFreePort(port: number, host: string): Promise<void> {
  if (await isFree(port, host)) return;
  const message = `Port ${port} on ${host} is taken by another program. Stop that program, or choose another port: BULLPEN_PORT=${port + 1} make up`;
  throw new Rejection('port.taken', message, { port, host, variable: 'BULLPEN_PORT' });
}

/**
 * The ports of before where they are still free, or in use by our own processes: runners that outlived the platform dial the same one
 * again.
 */
export async function choosePorts(
  before: Partial<Record<PortName, number>>,
  ours: ReadonlySet<string> = new Set(),
): Promise<Record<PortName, number>> {
  const chosen: Partial<Record<PortName, number>> = {};
  for (const name of PORT_NAMES) {
    const last = before[name];
    const kept = last !== undefined && !Object.values(chosen).includes(last) && (ours.has(name) || (await isFree(last, '127.0.0.1')));
    chosen[name] = kept ? last : await freePort(Object.values(chosen));
  }
  return chosen as Record<PortName, number>;
}

async function freePort(taken: readonly number[]): Promise<number> {
  for (;;) {
    const port = await listenOnce(0, '127.0.0.1');
    if (!taken.includes(port)) return port;
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  return listenOnce(port, host).then(
    () => true,
    () => false,
  );
}

async function listenOnce(port: number, host: string): Promise<number> {
  const server = createServer().listen({ port, host, exclusive: true });
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return taken;
}
