import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SessionState } from '@bullpen/session-model';

export const CHECKOUT = join(import.meta.dirname, '../../..');
const READY_MS = 60_000;
const STOP_MS = 40_000;
const CLI_MS = 60_000;
/** The one variable of the developer's that tests heed: they run both ways. */
const MODE: Readonly<Record<string, string>> = process.env['BULLPEN_MODE'] ? { BULLPEN_MODE: process.env['BULLPEN_MODE'] } : {};

export interface RunFile {
  readonly supervisor: { readonly pid: number };
  readonly processes: Readonly<Record<string, { readonly pid: number }>>;
  readonly ports: Readonly<Record<string, number>>;
}

/** As the log's user `gateway`, who may only read. */
export interface LogAccess {
  readonly url: string;
  readonly password: string;
}

interface CliCall {
  /** What is piped into it. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export interface ApiAnswer<Body> {
  readonly status: number;
  readonly body: Body;
  readonly headers: Headers;
}

/** Environment of every process a test starts: no model of the developer's is ever asked. */
export function testEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(ANTHROPIC_|OPENAI_|CLAUDE|BULLPEN_|NATS_|DATABASE_)/.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

/** The whole product as `make up` starts it: supervisor, NATS, Postgres, scripted model, platform, real sandboxes. */
export class TestPlatform {
  readonly home = mkdtempSync(join(tmpdir(), 'bullpen-e2e-'));
  output = '';
  #supervisor: ChildProcess | null = null;
  readonly #log: LogAccess | null;

  private constructor(
    readonly port: number,
    private readonly environment: Readonly<Record<string, string>>,
    log: LogAccess | null,
  ) {
    this.#log = log;
  }

  /** `log`: where the log is, when the platform is given one of the test's own; `onMade`: before it is started. */
  static async start(
    environment: Readonly<Record<string, string>> = {},
    log: LogAccess | null = null,
    onMade: (platform: TestPlatform) => void = () => undefined,
  ): Promise<TestPlatform> {
    const platform = new TestPlatform(await freePort(), environment, log);
    onMade(platform);
    try {
      await platform.up();
    } catch (error) {
      await platform.remove();
      throw error;
    }
    return platform;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get token(): string {
    return readFileSync(join(this.home, 'token'), 'utf8').trim();
  }

  get runFile(): RunFile {
    return JSON.parse(readFileSync(join(this.home, 'run.json'), 'utf8')) as RunFile;
  }

  get variables(): NodeJS.ProcessEnv {
    return testEnvironment({ ...MODE, BULLPEN_HOME: this.home, BULLPEN_PORT: String(this.port), NO_COLOR: '1', ...this.environment });
  }

  async up(): Promise<void> {
    this.output = '';
    const child = spawn(process.execPath, [join(CHECKOUT, 'apps/standalone/dist/supervisor.js')], {
      cwd: CHECKOUT,
      env: this.variables,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#supervisor = child;
    const collect = (chunk: Buffer) => (this.output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    await eventually('the platform is ready', READY_MS, async () => {
      if (child.exitCode !== null) throw new Error(`supervisor ended with ${child.exitCode}:\n${this.output}`);
      return (await this.isReady()) && this.output.includes(this.url);
    });
  }

  async isReady(): Promise<boolean> {
    return fetch(`${this.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  async api<Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer<Body>> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const parsed: unknown = answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
    return { status: answer.status, body: parsed as Body, headers: answer.headers };
  }

  async createSession(prompt: string, more: Record<string, unknown> = {}): Promise<string> {
    const answer = await this.api<{ id: string }>('POST', '/sessions', { repository: 'sample', prompt, ...more });
    if (answer.status !== 201) throw new Error(`session was not created: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.id;
  }

  async session(id: string): Promise<SessionState> {
    return (await this.api<SessionState>('GET', `/sessions/${id}`)).body;
  }

  /** Runs `./bullpen` as a person would. */
  async cli(args: readonly string[], { input = '', environment = {} }: CliCall = {}): Promise<{ exitCode: number | null; output: string }> {
    const env = { ...this.variables, ...environment };
    const child = spawn(join(CHECKOUT, 'bullpen'), args, { cwd: tmpdir(), env, stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => undefined).end(input);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), CLI_MS);
    const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    return { exitCode, output };
  }

  /** Of one supervised process: `platform`, `nats`, `postgres`, `scriptedModel`. */
  pidOf(name: string): number {
    const pid = this.runFile.processes[name]?.pid;
    if (pid === undefined) throw new Error(`no process ${name} in run.json: ${JSON.stringify(this.runFile)}`);
    return pid;
  }

  kill(name: string): number {
    const pid = this.pidOf(name);
    process.kill(pid, 'SIGKILL');
    return pid;
  }

  /** Resolves once each of these has been started again since `before`, and the platform is ready: to the milliseconds it took. */
  async isWholeAgain(names: readonly string[], before: RunFile['processes'], withinMs: number): Promise<number> {
    const began = Date.now();
    if (names.length === 0) return 0;
    await eventually(`${names.join(' and ')} run again`, withinMs, async () => {
      const { processes } = this.runFile;
      return names.every((name) => processes[name] && processes[name].pid !== before[name]?.pid) && (await this.isReady());
    });
    return Date.now() - began;
  }

  /** Whether a supervisor holds the home, or left its lock. */
  hasLock(): boolean {
    return existsSync(join(this.home, 'supervisor.lock'));
  }

  /** For reading the log past the product. */
  get logAccess(): LogAccess {
    const { natsGateway } = JSON.parse(readFileSync(join(this.home, 'secrets.json'), 'utf8')) as { natsGateway: string };
    return this.#log ?? { url: `nats://127.0.0.1:${this.runFile.ports['nats']}`, password: natsGateway };
  }

  /** kill -9 of `make up` itself. */
  async killSupervisor(): Promise<void> {
    const child = this.#supervisor;
    child?.kill('SIGKILL');
    await new Promise((resolve) => (child && child.exitCode === null && child.signalCode === null ? child.once('exit', resolve) : resolve(null)));
  }

  /** As Ctrl-C does. */
  async stop(): Promise<number | null> {
    const child = this.#supervisor;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const code = await ended;
    clearTimeout(timer);
    return code;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.home, { recursive: true, force: true });
  }
}

export async function eventually(what: string | (() => string), withinMs: number, check: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${withinMs} ms: ${typeof what === 'string' ? what : what()}`);
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
