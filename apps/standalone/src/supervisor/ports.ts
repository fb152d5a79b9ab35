import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { Fault, Rejection } from '@bullpen/errors';

import { PORT_NAMES, type PortName, type Ports } from './run-file.js';

const LOOPBACK = '127.0.0.1';
/** Below the range from which systems take ports for outgoing connections: a port that we keep must still be ours after a restart. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const MAX_PORT_TRIES = 200;
const POLL_MS = 50;

/**
 * A killed process may hold its ports for a moment after it counts as dead, hence the patience.
 *
 * @throws Rejection `port.taken` naming the port and the variable that changes it
 */
export async function requireFreePort(port: number, host: string, patienceMs = 0): Promise<void> {
  if (await becomesFree(port, host, patienceMs)) return;
  const message = `Port ${port} on ${host} is taken by another program. Stop that program, or choose another port: BULLPEN_PORT=${port + 1} make up`;
  throw new Rejection('port.taken', message, { port, host, variable: 'BULLPEN_PORT' });
}

export interface PortsBefore {
  readonly ports: Partial<Record<PortName, number>>;
  /** Names of those that processes of ours still use. */
  readonly inUse: ReadonlySet<string>;
  readonly patienceMs: number;
}

/** The ports of before where they are free, or ours: runners that outlived the platform dial the same one again. */
export async function choosePorts({ ports, inUse, patienceMs }: PortsBefore): Promise<Ports> {
  const chosen: Partial<Record<PortName, number>> = {};
  for (const name of PORT_NAMES) {
    const last = ports[name];
    const kept = last !== undefined && (inUse.has(name) || (await becomesFree(last, LOOPBACK, patienceMs)));
    chosen[name] = kept ? last : await freePort([...Object.values(chosen), ...Object.values(ports)]);
  }
  return chosen as Ports;
}

async function freePort(others: readonly number[]): Promise<number> {
  for (let tries = 0; tries < MAX_PORT_TRIES; tries++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (!others.includes(port) && (await isFree(port, LOOPBACK))) return port;
  }
  throw new Fault('port.none-free', `No free port between ${FIRST_PORT} and ${LAST_PORT} after ${MAX_PORT_TRIES} tries.`);
}

async function becomesFree(port: number, host: string, patienceMs: number): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    if (await isFree(port, host)) return true;
    if (Date.now() >= deadline) return false;
    await delay(POLL_MS);
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  try {
    const server = createServer().listen({ port, host, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return true;
  } catch {
    return false;
  }
}
