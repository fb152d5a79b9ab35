import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { Fault, Rejection } from '@bullpen/errors';

import { hasCode } from './disk.js';
import { PORT_NAMES, type PortName, type Ports } from './run-file.js';
import { DEFAULT_PORT } from './settings.js';

const LOOPBACK = '127.0.0.1';
/** Below the range from which systems take ports for outgoing connections: a port that we keep must still be ours after a restart. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_000;
const FIRST_UNPRIVILEGED_PORT = 1_024;
const MAX_PORT = 65_535;
const MAX_PORT_TRIES = 200;
const POLL_MS = 50;

/**
 * A killed process may hold its ports for a moment after it counts as dead, hence the patience.
 *
 * @throws Rejection `port.taken`, `port.forbidden`, `port.unusable` naming the port and the variable that changes it
 */
export async function requireFreePort(port: number, host: string, patienceMs = 0): Promise<void> {
  const error = await whyNotFree(port, host, patienceMs);
  if (error !== null) throw portProblem(port, host, error);
}

/** Of a port that cannot be listened on: what keeps it, and which variable to set. */
export function portProblem(port: number, host: string, error: unknown): Rejection {
  const variable = 'BULLPEN_PORT';
  if (hasCode(error, 'EADDRINUSE')) {
    const message = `Port ${port} on ${host} is taken by another program. Stop that program, or choose another port: ${variable}=${nextTo(port)} make up`;
    return new Rejection('port.taken', message, { port, host, variable });
  }
  if (hasCode(error, 'EACCES')) {
    const message = `Port ${port} on ${host} may not be used by this user. Choose another one: ${variable}=${nextTo(port)} make up`;
    return new Rejection('port.forbidden', message, { port, host, variable });
  }
  const why = error instanceof Error ? error.message : String(error);
  const message = `BULLPEN_HOST=${host} is no address of this machine that can be listened on (${why}). Set it to one, or unset it for ${LOOPBACK}.`;
  return new Rejection('port.unusable', message, { port, host, variable: 'BULLPEN_HOST' });
}

/** As `make doctor` names it. */
function nextTo(port: number): number {
  return port < FIRST_UNPRIVILEGED_PORT || port === MAX_PORT ? DEFAULT_PORT : port + 1;
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
    const kept = last !== undefined && (inUse.has(name) || (await whyNotFree(last, LOOPBACK, patienceMs)) === null);
    chosen[name] = kept ? last : await freePort([...Object.values(chosen), ...Object.values(ports)]);
  }
  return chosen as Ports;
}

async function freePort(others: readonly number[]): Promise<number> {
  for (let tries = 0; tries < MAX_PORT_TRIES; tries++) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (!others.includes(port) && (await listenError(port, LOOPBACK)) === null) return port;
  }
  throw new Fault('port.none-free', `No free port between ${FIRST_PORT} and ${LAST_PORT} after ${MAX_PORT_TRIES} tries.`);
}

/** Null: it is, or became so in time. Only a holder goes away by itself. */
async function whyNotFree(port: number, host: string, patienceMs: number): Promise<unknown> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const error = await listenError(port, host);
    if (!hasCode(error, 'EADDRINUSE') || Date.now() >= deadline) return error;
    await delay(POLL_MS);
  }
}

/** Null when it can be listened on. */
async function listenError(port: number, host: string): Promise<unknown> {
  try {
    const server = createServer().listen({ port, host, exclusive: true });
    await once(server, 'listening');
    server.close();
    await once(server, 'close');
    return null;
  } catch (error) {
    return error;
  }
}
