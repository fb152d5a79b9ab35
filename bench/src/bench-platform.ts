import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';

import type { SessionEvent } from '@bullpen/contracts';
import { SERVICE_NODE_FLAGS } from '@bullpen/embedded';
import { freePort, startTestNats, startTestPostgres, temporaryFolder } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { CHECKOUT } from './checkout.js';

const TOKEN = 'bench-token-bench-token';
const READY_MS = 30_000;

export interface BenchPlatform {
  readonly url: string;
  readonly nats: TestNats;
  readonly process: ChildProcess;
  api<Body>(method: string, path: string, body?: unknown): Promise<Body>;
  follow(sessionId: string, onEvents: (events: readonly SessionEvent[]) => void, request?: Record<string, unknown>): Promise<Socket>;
  /** A fresh process on the same log and database, ready. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Real NATS, real Postgres, the real platform process; `runner` may be another program that speaks the runner link. */
export async function startBenchPlatform(extra: Readonly<Record<string, string>>): Promise<BenchPlatform> {
  const [nats, postgres, folder] = [await startTestNats(), await startTestPostgres(), await temporaryFolder('bench')];
  const port = await freePort();
  const environment = { ...variables(folder.path, nats, await ports()), DATABASE_URL: postgres.url, BULLPEN_PORT: String(port), ...extra };
  sampleRepository(environment.BULLPEN_SAMPLE_REPOSITORY);
  const log = join(folder.path, 'platform.log');
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<ChildProcess> => {
    const started = spawn(process.execPath, [...SERVICE_NODE_FLAGS, join(CHECKOUT, 'apps/standalone/dist/platform.js')], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
    started.stdout.on('data', (chunk: Buffer) => writeFileSync(log, chunk, { flag: 'a' }));
    await ready(url, () => readFileSync(log, 'utf8').slice(-2_000));
    return started;
  };
  let child = await start();
  return {
    url,
    nats,
    get process() {
      return child;
    },
    api: (method, path, body) => request(url, method, path, body),
    follow: (sessionId, onEvents, request = { after: '0' }) => follow(url, { sessionId, ...request }, onEvents),
    restart: async () => {
      await end(child);
      child = await start();
    },
    stop: async () => {
      await end(child);
      await postgres.stop();
      await nats.stop();
      await folder.remove();
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function ports(): Promise<Record<'SESSION_GRPC_PORT' | 'ORCHESTRATOR_GRPC_PORT' | 'ORCHESTRATOR_LINK_PORT', string>> {
  const next = async (): Promise<string> => String(await freePort());
  return { SESSION_GRPC_PORT: await next(), ORCHESTRATOR_GRPC_PORT: await next(), ORCHESTRATOR_LINK_PORT: await next() };
}

function variables(home: string, nats: TestNats, grpc: Awaited<ReturnType<typeof ports>>) {
  const folders = Object.fromEntries(['objects', 'sandboxes', 'mirrors'].map((name) => [name, join(home, name)])) as Record<string, string>;
  for (const path of Object.values(folders)) mkdirSync(path, { recursive: true });
  return {
    ...grpc,
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    NATS_URL: nats.url,
    SESSION_NATS_PASSWORD: nats.passwords.session,
    ORCHESTRATOR_NATS_PASSWORD: nats.passwords.orchestrator,
    GATEWAY_NATS_PASSWORD: nats.passwords.gateway,
    BULLPEN_RPC_KEY: 'bench-rpc-key-bench-rpc-key',
    BULLPEN_TOKEN: TOKEN,
    BULLPEN_OBJECTS: folders['objects'] ?? '',
    BULLPEN_SANDBOXES: folders['sandboxes'] ?? '',
    BULLPEN_MIRRORS: folders['mirrors'] ?? '',
    BULLPEN_SANDBOX_KEY: '0'.repeat(64),
    BULLPEN_RUNNER: join(CHECKOUT, 'services/sandbox-runner/dist/runner.mjs'),
    BULLPEN_NODE: process.execPath,
    BULLPEN_AGENTS: CHECKOUT,
    BULLPEN_LOCAL_PATHS: '1',
    BULLPEN_SAMPLE_REPOSITORY: join(home, 'sample'),
    BULLPEN_MODEL_PROVIDER: 'scripted',
    BULLPEN_MODEL: 'scripted-1',
    BULLPEN_USER_NAME: 'Bench',
    BULLPEN_USER_EMAIL: 'bench@localhost',
    BULLPEN_LOG_LEVEL: 'warn',
    SESSION_GRPC_URL: `http://127.0.0.1:${grpc.SESSION_GRPC_PORT}`,
    ORCHESTRATOR_GRPC_URL: `http://127.0.0.1:${grpc.ORCHESTRATOR_GRPC_PORT}`,
  };
}

function sampleRepository(path: string): void {
  mkdirSync(path);
  const git = (...args: string[]): void => void execFileSync('git', ['-C', path, '-c', 'user.name=b', '-c', 'user.email=b@localhost', ...args]);
  git('init', '-q', '-b', 'main');
  git('commit', '-q', '--allow-empty', '-m', 'Start');
}

async function ready(url: string, log: () => string): Promise<void> {
  for (const end = Date.now() + READY_MS; Date.now() < end; ) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the platform was not ready:\n${log()}`);
}

async function request<Body>(url: string, method: string, path: string, body?: unknown): Promise<Body> {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  const answer = await fetch(`${url}/api/v1${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Body;
}

async function follow(url: string, request: Record<string, unknown>, onEvents: (events: readonly SessionEvent[]) => void): Promise<Socket> {
  const socket = io(url, { transports: ['websocket'], auth: { token: TOKEN }, forceNew: true });
  await new Promise<void>((resolve, reject) => socket.once('connect', () => resolve()).once('connect_error', reject));
  let last: string | undefined;
  socket.on('session.events', (batch: { events: SessionEvent[] }) => {
    last = batch.events.at(-1)?.id ?? last;
    onEvents(batch.events);
  });
  const subscribe = async (): Promise<void> => {
    const from = last === undefined ? request : { ...request, after: last };
    const answer = (await socket.timeout(10_000).emitWithAck('session.subscribe', from)) as { ok: boolean };
    if (!answer.ok) throw new Error(`subscribe: ${JSON.stringify(answer)}`);
  };
  // A client that lags is told to resume: part of the path that is measured.
  socket.on('error', () => void subscribe());
  await subscribe();
  return socket;
}
