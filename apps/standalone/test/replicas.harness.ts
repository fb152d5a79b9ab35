import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SERVICE_NODE_FLAGS } from '@bullpen/embedded';
import { connectLeases } from '@bullpen/event-log';
import { startScriptedModel } from '@bullpen/scripted-model';
import { silentLogger } from '@bullpen/telemetry';
import { freePort, startTestNats, startTestPostgres } from '@bullpen/testing';
import type { TestNats, TestPostgres } from '@bullpen/testing';

import { homeAt } from '../src/supervisor/home.js';
import { endSandboxes } from '../src/supervisor/leftovers.js';
import { ensureSampleRepository } from '../src/supervisor/sample.js';
import { CHECKOUT, eventually, testEnvironment } from './platform.harness.js';

export const SERVICES = ['orchestrator', 'session', 'gateway'] as const;
export type Service = (typeof SERVICES)[number];
/** `session0`. */
export type Replica = `${Service}${0 | 1}`;

const REPLICAS = [0, 1] as const;
const READY_MS = 60_000;
const MAIN: Readonly<Record<Service, string>> = { orchestrator: 'sandbox-orchestrator', session: 'session', gateway: 'gateway' };

type Ports = Readonly<Record<'grpc' | 'health' | 'link' | 'public', number>>;

/** Two processes of each service over one log, one database and one folder of sandboxes. */
export class TestReplicas {
  readonly token = randomBytes(24).toString('hex');
  readonly #home = mkdtempSync(join(tmpdir(), 'bullpen-replicas-'));
  readonly #children = new Map<Replica, ChildProcess>();
  readonly #rpcKey = randomBytes(16).toString('hex');
  readonly #sandboxKey = randomBytes(32).toString('hex');
  readonly #ports: Record<Service, readonly Ports[]> = { orchestrator: [], session: [], gateway: [] };
  #stores: { readonly nats: TestNats; readonly postgres: TestPostgres } | null = null;
  #model: { readonly url: string; close(): Promise<void> } | null = null;

  static async start(): Promise<TestReplicas> {
    const replicas = new TestReplicas();
    try {
      await replicas.#start();
    } catch (error) {
      await replicas.remove();
      throw error;
    }
    return replicas;
  }

  /** Of one gateway, as a watcher reaches it. */
  edge(index: 0 | 1): { readonly url: string; readonly token: string } {
    return { url: `http://127.0.0.1:${this.#ports.gateway[index]?.public ?? 0}`, token: this.token };
  }

  async api<Body>(index: 0 | 1, method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }> {
    const answer = await fetch(`${this.edge(index).url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Body };
  }

  /** How many shards each orchestrator owns. */
  async shards(): Promise<readonly number[]> {
    const { nats } = this.#running;
    const leases = await connectLeases({ url: nats.url, user: 'orchestrator', password: nats.passwords.orchestrator, logger: silentLogger });
    try {
      const entries = (await leases.list()).filter(({ key }) => key.startsWith('shard.'));
      return REPLICAS.map((index) => entries.filter(({ holder }) => holder.endsWith(`:${this.#ports.orchestrator[index]?.link ?? 0}`)).length);
    } finally {
      await leases.close();
    }
  }

  /** Which orchestrator welcomed the session's runner last. */
  ownerOf(sessionId: string): 0 | 1 {
    const lastWelcome = (index: 0 | 1): string =>
      this.log(`orchestrator${index}`).split('\n').findLast((line) => line.includes('runner connected') && line.includes(sessionId)) ?? '';
    const times = REPLICAS.map((index) => /"time":"([^"]+)"/.exec(lastWelcome(index))?.[1] ?? '');
    return (times[0] ?? '') > (times[1] ?? '') ? 0 : 1;
  }

  log(replica: Replica): string {
    return readFileSync(join(this.#home, 'logs', `${replica}.log`), 'utf8');
  }

  signal(replica: Replica, signal: NodeJS.Signals): void {
    this.#children.get(replica)?.kill(signal);
  }

  /** Starts it, again when it was killed. Resolves once it is ready. */
  async up(replica: Replica): Promise<void> {
    const [, service, digit] = /^([a-z]+)([01])$/.exec(replica) ?? [];
    const name = SERVICES.find((one) => one === service);
    const ports = name && this.#ports[name][Number(digit)];
    if (!name || !ports) throw new Error(`no replica ${replica}`);
    const output = openSync(join(this.#home, 'logs', `${replica}.log`), 'a');
    const main = join(CHECKOUT, 'services', MAIN[name], 'dist', 'main.js');
    const child = spawn(process.execPath, [...SERVICE_NODE_FLAGS, main], { env: this.#environment(name, ports), stdio: ['ignore', output, output] });
    this.#children.set(replica, child);
    const port = name === 'gateway' ? ports.public : ports.health;
    await eventually(`${replica} is ready`, READY_MS, async () => {
      if (child.exitCode !== null) throw new Error(`${replica} ended with ${child.exitCode}:\n${this.log(replica)}`);
      return fetch(`http://127.0.0.1:${port}/readyz`).then(({ ok }) => ok, () => false);
    });
  }

  async remove(): Promise<void> {
    for (const child of this.#children.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    // Those outlive the services on purpose.
    await endSandboxes(homeAt(this.#home));
    await this.#model?.close();
    await this.#stores?.nats.stop();
    await this.#stores?.postgres.stop();
    rmSync(this.#home, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    mkdirSync(join(this.#home, 'logs'));
    const [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
    this.#stores = { nats, postgres };
    this.#model = await startScriptedModel({ port: 0 });
    await ensureSampleRepository(join(this.#home, 'sample'));
    for (const service of SERVICES) {
      this.#ports[service] = await Promise.all(
        REPLICAS.map(async () => ({ grpc: await freePort(), health: await freePort(), link: await freePort(), public: await freePort() })),
      );
    }
    for (const service of SERVICES) await Promise.all(REPLICAS.map((index) => this.up(`${service}${index}`)));
  }

  get #running(): { readonly nats: TestNats; readonly postgres: TestPostgres } {
    if (this.#stores === null) throw new Error('not started');
    return this.#stores;
  }

  #environment(service: Service, ports: Ports): NodeJS.ProcessEnv {
    const { nats, postgres } = this.#running;
    const urls = (of: Service, port: keyof Ports, scheme: string): string => this.#ports[of].map((one) => `${scheme}://127.0.0.1:${one[port]}`).join(',');
    const common = {
      NATS_URL: nats.url,
      BULLPEN_RPC_KEY: this.#rpcKey,
      BULLPEN_OBJECTS: join(this.#home, 'objects'),
      BULLPEN_MODEL_PROVIDER: 'scripted',
      BULLPEN_MODEL: 'scripted-1',
      SESSION_GRPC_URL: urls('session', 'grpc', 'http'),
      ORCHESTRATOR_GRPC_URL: urls('orchestrator', 'grpc', 'http'),
    };
    const own: Readonly<Record<Service, Record<string, string>>> = {
      orchestrator: {
        ORCHESTRATOR_NATS_PASSWORD: nats.passwords.orchestrator,
        ORCHESTRATOR_GRPC_PORT: String(ports.grpc),
        ORCHESTRATOR_HEALTH_PORT: String(ports.health),
        ORCHESTRATOR_LINK_PORT: String(ports.link),
        ORCHESTRATOR_LINK_URLS: urls('orchestrator', 'link', 'ws'),
        BULLPEN_SANDBOXES: join(this.#home, 'sandboxes'),
        BULLPEN_MIRRORS: join(this.#home, 'mirrors'),
        BULLPEN_SANDBOX_KEY: this.#sandboxKey,
        BULLPEN_MODEL_BASE_URL: this.#model?.url ?? '',
        BULLPEN_RUNNER: join(CHECKOUT, 'services', 'sandbox-runner', 'dist', 'runner.mjs'),
        BULLPEN_NODE: process.execPath,
        BULLPEN_AGENTS: CHECKOUT,
        BULLPEN_LOCAL_PATHS: '1',
      },
      session: {
        SESSION_NATS_PASSWORD: nats.passwords.session,
        DATABASE_URL: postgres.url,
        SESSION_GRPC_PORT: String(ports.grpc),
        SESSION_HEALTH_PORT: String(ports.health),
        BULLPEN_SAMPLE_REPOSITORY: join(this.#home, 'sample'),
      },
      gateway: {
        GATEWAY_NATS_PASSWORD: nats.passwords.gateway,
        BULLPEN_PORT: String(ports.public),
        BULLPEN_TOKEN: this.token,
        BULLPEN_USER_NAME: 'Ada',
        BULLPEN_USER_EMAIL: 'ada@example.org',
      },
    };
    return testEnvironment({ ...common, ...own[service] });
  }
}
