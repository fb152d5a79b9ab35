import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Fault, Rejection } from '@bullpen/errors';
import { natsServerConfig, requireNatsVersion } from '@bullpen/event-log';
import type { NatsCluster, NatsPasswords } from '@bullpen/event-log';

import { CHECKOUT } from './checkout.js';
import { processesWithArguments } from './processes.js';
import { run } from './run.js';
import type { ProcessSpec } from './spawn.js';

const VERSION_TIMEOUT_MS = 10_000;
const PROBE_INTERVAL_MS = 25;
const PROBE_TIMEOUT_MS = 1_000;
export const NATS_READY_TIMEOUT_MS = 20_000;

const CONFIG_FLAG = '--config';

export interface NatsOptions {
  readonly storeDir: string;
  /** Written anew each time, mode 0600: it holds the passwords. */
  readonly configFile: string;
  readonly port: number;
  readonly passwords: NatsPasswords;
  /** Absent: one server alone. */
  readonly cluster?: NatsCluster;
  /** BULLPEN_NATS_SERVER, else the one that set-up put into the checkout. */
  readonly binary?: string;
}

/**
 * Makes everything ready so that spawning the result starts the log's server; may be repeated. SIGTERM ends it.
 *
 * @throws Rejection `nats.version` when the server is too old, `nats.running` when one still runs on this configuration; Fault `embedded.failed` when it cannot be run
 */
export async function prepareNats({
  storeDir,
  configFile,
  port,
  passwords,
  cluster,
  binary = natsBinary(),
}: NatsOptions): Promise<ProcessSpec> {
  const version = await run(binary, ['--version'], VERSION_TIMEOUT_MS);
  requireNatsVersion(version.trim());
  requireNone({ configFile, storeDir });
  await mkdir(storeDir, { recursive: true, mode: 0o700 });
  await mkdir(dirname(configFile), { recursive: true, mode: 0o700 });
  await writeFile(configFile, natsServerConfig({ port, storeDir, passwords, ...(cluster ? { cluster } : {}) }), { mode: 0o600 });
  await chmod(configFile, 0o600);
  return { command: binary, args: [CONFIG_FLAG, configFile], env: {} };
}

/** Unlike Postgres it locks nothing: two servers on one folder would both write there. */
function requireNone({ configFile, storeDir }: Pick<NatsOptions, 'configFile' | 'storeDir'>): void {
  const [pid] = processesWithArguments(CONFIG_FLAG, configFile);
  if (pid === undefined) return;
  throw new Rejection('nats.running', `NATS already runs on ${storeDir} as process ${pid}. Stop it with: kill ${pid}`, { pid, storeDir });
}

export function natsBinary(): string {
  return process.env['BULLPEN_NATS_SERVER'] || join(CHECKOUT, '.tools', 'bin', 'nats-server');
}

/**
 * Resolves once the server greets on the port, which it does after its streams are recovered.
 *
 * @throws Rejection `nats.version`, Fault `nats.not-ready`
 */
export async function waitForNats({
  port,
  timeoutMs = NATS_READY_TIMEOUT_MS,
}: {
  port: number;
  timeoutMs?: number;
}): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  do {
    const version = await greetedVersion(port);
    if (version !== null) return requireNatsVersion(version);
    await delay(PROBE_INTERVAL_MS);
  } while (Date.now() < deadline);
  throw new Fault('nats.not-ready', `NATS does not answer on port ${port} after ${timeoutMs} ms. See its log.`, {
    details: { port },
  });
}

/** The version in the server's INFO line; null when nothing that speaks NATS answers. */
function greetedVersion(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PROBE_TIMEOUT_MS });
    let greeting = '';
    const finish = (version: string | null): void => {
      socket.destroy();
      resolve(version);
    };
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      greeting += text;
      const version = /^INFO .*?"version":"([^"]+)"/.exec(greeting)?.[1];
      if (version !== undefined) finish(version);
    });
    socket.on('error', () => finish(null));
    socket.on('timeout', () => finish(null));
    socket.on('close', () => finish(null));
  });
}
