import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { OrchestratorHandshake, signSandboxToken } from '@bullpen/auth';
import { parseEventData, RUNNER_EXIT, runnerMessageSchema } from '@bullpen/contracts';
import type { EventType, OrchestratorMessage, RunnerFrame, RunnerMessage, RunnerSpec } from '@bullpen/contracts';
import { createPiAgent } from '@bullpen/agent-pi';
import { startScriptedModel } from '@bullpen/scripted-model';
import type { ScriptedModel } from '@bullpen/scripted-model';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';

import { createRunnerLog } from './adapters/runner-log.js';
import { Redactor } from './core/redactor.js';
import { Runner } from './runner.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const NODE = join(ROOT, 'node_modules/.bin/node');
const CANARY = 'sk-ant-canary-0123456789abcdef';
const SESSION = '00testsession0000000000000';
const TOKEN_KEY = 'k'.repeat(64);

/** The orchestrator's end of the link: appends what it gets, acknowledges, and can be cut or held. */
class ScriptedOrchestrator {
  readonly frames: RunnerFrame[] = [];
  readonly objects = new Map<string, Buffer>();
  readonly heartbeats: Extract<RunnerMessage, { kind: 'heartbeat' }>[] = [];
  readonly hellos: Extract<RunnerMessage, { kind: 'hello' }>[] = [];
  readonly problems: string[] = [];
  failed: Extract<RunnerMessage, { kind: 'failed' }> | null = null;
  holdAcknowledgements = false;
  raw = '';
  #server: WebSocketServer | null = null;
  #socket: WebSocket | null = null;
  #handshake: OrchestratorHandshake | null = null;
  #upload: { sha256: string; bytes: number; chunks: Buffer[] } | null = null;
  #changed = new Set<() => void>();

  async listen(port = 0): Promise<number> {
    this.#server = new WebSocketServer({ host: '127.0.0.1', port });
    await once(this.#server, 'listening');
    this.#server.on('connection', (socket) => {
      this.#socket = socket;
      this.#upload = null;
      socket.on('message', (data, isBinary) => this.#receive(socket, data, isBinary));
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const client of server?.clients ?? []) client.terminate();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  }

  cut(): void {
    this.#socket?.terminate();
  }

  send(message: OrchestratorMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  prompt(text: string, { turnId = 'turn-1', attempt = 1, ...trace }: { turnId?: string; attempt?: number; traceparent?: string } = {}): void {
    this.send({ kind: 'prompt', turnId, attempt, text, author: { name: 'Ada Lovelace', email: 'ada@example.com' }, ...trace });
  }

  of<T extends EventType>(type: T, turnId?: string) {
    return this.frames
      .filter((frame) => frame.type === type && (turnId === undefined || frame.turnId === turnId))
      .map((frame) => parseEventData(type, frame.data));
  }

  text(): string {
    return this.of('AssistantTextAppended')
      .map(({ text }) => text)
      .join('');
  }

  async until(what: string, condition: () => boolean, timeoutMs = 20_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!condition()) {
      if (Date.now() > end)
        throw new Error(`not within ${timeoutMs} ms: ${what}. Frames: ${this.frames.map(({ type }) => type).join()}`);
      await Promise.race([new Promise<void>((resolve) => this.#changed.add(resolve)), delay(50)]);
      this.#changed.clear();
    }
  }

  finished(turnId = 'turn-1'): Promise<void> {
    return this.until(`${turnId} finished`, () => this.of('AgentTurnFinished', turnId).length > 0);
  }

  #receive(socket: WebSocket, data: RawData, isBinary: boolean): void {
    const bytes = data as Buffer;
    this.raw += bytes.toString('latin1');
    if (isBinary) this.#chunk(socket, bytes);
    else this.#message(socket, runnerMessageSchema.parse(JSON.parse(bytes.toString('utf8'))));
    for (const wake of this.#changed) wake();
  }

  #chunk(socket: WebSocket, bytes: Buffer): void {
    const upload = this.#upload;
    if (!upload) return void this.problems.push('bytes without an object');
    upload.chunks.push(bytes);
    const whole = Buffer.concat(upload.chunks);
    if (whole.length < upload.bytes) return;
    if (createHash('sha256').update(whole).digest('hex') !== upload.sha256) this.problems.push('object differs from its name');
    this.objects.set(upload.sha256, whole);
    this.#upload = null;
    socket.send(JSON.stringify({ kind: 'objectStored', sha256: upload.sha256 }));
  }

  #message(socket: WebSocket, message: RunnerMessage): void {
    switch (message.kind) {
      case 'hello':
        this.hellos.push(message);
        this.#handshake = new OrchestratorHandshake(message, { tokenKey: TOKEN_KEY, linkUrl: linkUrl() });
        return socket.send(JSON.stringify({ kind: 'challenge', ...this.#handshake.challenge }));
      case 'proof':
        this.#handshake?.verify(message.proof, Date.now());
        return socket.send(JSON.stringify({ kind: 'welcome', appendedThrough: this.frames.length }));
      case 'heartbeat':
        return void this.heartbeats.push(message);
      case 'failed':
        this.failed = message;
        return undefined;
      case 'object':
        this.#upload = { ...message, chunks: [] };
        return undefined;
      case 'frames':
        return this.#append(socket, message.frames);
    }
  }

  #append(socket: WebSocket, frames: RunnerFrame[]): void {
    for (const frame of frames) {
      if (frame.n <= this.frames.length) continue;
      if (frame.n !== this.frames.length + 1) this.problems.push(`gap before ${frame.n}`);
      for (const name of JSON.stringify(frame.data).matchAll(/"sha256":"([0-9a-f]+)"/g)) {
        if (!this.objects.has(name[1] ?? '')) this.problems.push(`frame ${frame.n} names an object that is not stored`);
      }
      this.frames.push(frame);
    }
    if (!this.holdAcknowledgements) socket.send(JSON.stringify({ kind: 'acknowledged', through: this.frames.length }));
  }
}

interface RunnerUnderTest {
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  log: () => string;
}

let model: ScriptedModel;
let keys: string[] = [];
let folder: string;
let source: string;
let bundle: string;
let bundleFolder: string;
let orchestrator: ScriptedOrchestrator;
let port: number;
let runners: RunnerUnderTest[] = [];

beforeAll(async () => {
  model = await startScriptedModel({ port: 0, onRequest: ({ headers }) => keys.push(String(headers['x-api-key'])) });
  bundleFolder = await mkdtemp(join(tmpdir(), 'runner-bundle-'));
  bundle = join(bundleFolder, 'runner.mjs');
  const bundled = spawnSync('npm', ['run', 'bundle', '--', `--outfile=${bundle}`], {
    cwd: join(ROOT, 'services/sandbox-runner'),
    encoding: 'utf8',
  });
  expect(bundled.status).toBe(0);
});
afterAll(async () => {
  await model.close();
  await rm(bundleFolder, { recursive: true, force: true });
});
beforeEach(async () => {
  keys = [];
  folder = await mkdtemp(join(tmpdir(), 'runner-'));
  source = join(folder, 'source');
  git(folder, 'init', '-q', '-b', 'main', source);
  await writeFile(join(source, 'README.md'), '# sample\n');
  git(source, 'add', '.');
  git(source, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'first');
  orchestrator = new ScriptedOrchestrator();
  port = await orchestrator.listen();
});
afterEach(async () => {
  for (const { child } of runners) child.kill('SIGKILL');
  runners = [];
  await orchestrator.close();
  expect(orchestrator.problems).toEqual([]);
  await delay(50);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

function git(cwd: string, ...args: string[]): string {
  const result = spawnSync('git', args, { cwd, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.trim();
}

function linkUrl(): string {
  return `ws://127.0.0.1:${port}/runner`;
}

function tokenOf(generation: number): string {
  return signSandboxToken({ sandboxId: `${SESSION}-${generation}`, sessionId: SESSION, generation, expiresAt: 2 ** 42 }, TOKEN_KEY);
}

function specOf(generation: number): RunnerSpec {
  return {
    sessionId: SESSION,
    sandboxId: `${SESSION}-${generation}`,
    generation,
    linkUrl: linkUrl(),
    token: tokenOf(generation),
    repository: { name: 'sample', source, branch: 'main' },
    sourcePath: source,
    checkpoint: null,
    transcriptPath: null,
    agent: { name: 'pi', model: 'scripted-1', modelProvider: 'scripted', baseUrl: model.url },
    paths: { workspace: join(folder, 'workspace'), home: join(folder, 'home'), spool: join(folder, `spool-${generation}`) },
  };
}

async function start(
  changes: Partial<RunnerSpec> = {},
  key: string | null = null,
  wrapper: string[] = [],
): Promise<RunnerUnderTest> {
  const generation = changes.generation ?? 1;
  const spec: RunnerSpec = { ...specOf(generation), ...changes };
  await mkdir(spec.paths.home, { recursive: true });
  const specPath = join(folder, `spec-${generation}.json`);
  await writeFile(specPath, JSON.stringify(spec), { mode: 0o600 });
  const environment = {
    PATH: process.env['PATH'] ?? '',
    BULLPEN_RUNNER_SPEC: specPath,
    BULLPEN_SANDBOX_ID: spec.sandboxId,
    BULLPEN_AGENTS: ROOT,
  };
  const [command, ...args] = [...wrapper, NODE, bundle];
  const child = spawn(command, args, {
    cwd: '/',
    env: { ...environment, ...(key === null ? {} : { ANTHROPIC_API_KEY: key }) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (chunk) => (log += String(chunk)));
  child.stderr.on('data', (chunk) => (log += String(chunk)));
  const runner = { child, exited: once(child, 'exit').then(([code]) => Number(code)), log: () => log };
  runners.push(runner);
  return runner;
}

async function startReady(
  changes: Partial<RunnerSpec> = {},
  key: string | null = null,
  wrapper: string[] = [],
): Promise<RunnerUnderTest> {
  const runner = await start(changes, key, wrapper);
  await orchestrator.until('ready', () => orchestrator.heartbeats.some(({ stage }) => stage === 'ready'));
  return runner;
}

const stages = () => [...new Set(orchestrator.heartbeats.map(({ stage }) => stage))];
const finish = () => orchestrator.of('AgentTurnFinished').at(-1);

function isAlive(marker: string): boolean {
  return spawnSync('pgrep', ['-f', marker]).status === 0;
}

const canIsolate = spawnSync('bwrap', ['--unshare-user', '--unshare-pid', '--ro-bind', '/', '/', 'true']).status === 0;
const inNamespace = canIsolate ? it : it.skip;

describe('the runner', () => {
  it('runs a whole turn: stages, text, tools with results, files, usage, checkpoint, then the end', async () => {
    await startReady();
    orchestrator.prompt('write hello.txt: hi\nrun: git status --short');
    await orchestrator.finished();
    const types = orchestrator.frames.map(({ type }) => type);
    expect(types[0]).toBe('AgentStarted');
    expect(types.slice(-2)).toEqual(['CheckpointCreated', 'AgentTurnFinished']);
    expect(orchestrator.of('AgentStarted')).toEqual([
      { turnId: 'turn-1', attempt: 1, agent: 'pi', model: 'scripted-1', conversation: 'new' },
    ]);
    expect(orchestrator.of('ToolCallCompleted')).toHaveLength(2);
    expect(orchestrator.of('ToolCallCompleted').at(-1)).toMatchObject({
      outcome: 'succeeded',
      output: { text: expect.stringContaining('hello.txt') },
    });
    expect(orchestrator.of('UsageReported').length).toBeGreaterThan(0);
    expect(orchestrator.of('FilesChanged').at(-1)?.files).toMatchObject([{ path: 'hello.txt', change: 'added', insertions: 1 }]);
    expect(finish()).toMatchObject({ outcome: 'completed' });

    const [checkpoint] = orchestrator.of('CheckpointCreated');
    expect(checkpoint).toMatchObject({ branch: `bullpen/${SESSION}`, stats: { files: 1, insertions: 1 } });
    expect(orchestrator.objects.get(checkpoint?.patch.sha256 ?? '')?.toString()).toContain('+hi');
    const bundlePath = join(folder, 'b.bundle');
    await writeFile(bundlePath, orchestrator.objects.get(checkpoint?.bundle.sha256 ?? '') ?? '');
    git(source, 'fetch', '-q', bundlePath, `bullpen/${SESSION}:restored`);
    expect(git(source, 'log', '-1', '--format=%an <%ae>', 'restored')).toBe('Ada Lovelace <ada@example.com>');
    expect(git(source, 'show', 'restored:hello.txt')).toBe('hi');

    await orchestrator.until('idle', () => stages().includes('idle'));
    expect(stages()).toEqual(expect.arrayContaining(['ready', 'running', 'idle']));
    orchestrator.prompt('say: second', { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    expect(orchestrator.of('AgentStarted').at(-1)?.conversation).toBe('continued');
    expect(orchestrator.of('CheckpointCreated').at(-1)).toMatchObject({
      sha: checkpoint?.sha,
      parent: checkpoint?.sha,
      patch: checkpoint?.patch,
    });
  });

  it('gives the agent the prompt only after AgentStarted is acknowledged, and ignores it the second time', async () => {
    await startReady();
    orchestrator.holdAcknowledgements = true;
    orchestrator.prompt('write a.txt: x');
    await orchestrator.until('AgentStarted', () => orchestrator.frames.length > 0);
    await delay(500);
    expect(orchestrator.frames.map(({ type }) => type)).toEqual(['AgentStarted']);
    orchestrator.prompt('write a.txt: x');
    orchestrator.holdAcknowledgements = false;
    orchestrator.send({ kind: 'acknowledged', through: 1 });
    await orchestrator.finished();
    orchestrator.prompt('write a.txt: x');
    await delay(300);
    expect(orchestrator.of('AgentStarted')).toHaveLength(1);
  });

  it('loses and doubles nothing while the link is cut and the orchestrator restarts in the middle of a turn', async () => {
    await startReady();
    orchestrator.prompt('slow: 40');
    for (const words of [3, 8, 15]) {
      await orchestrator.until(`word ${words}`, () => orchestrator.text().includes(`word${words}`));
      orchestrator.cut();
    }
    await orchestrator.until('word 20', () => orchestrator.text().includes('word20'));
    await orchestrator.close();
    await delay(1_000);
    await orchestrator.listen(port);
    await orchestrator.finished();
    expect(orchestrator.hellos.length).toBeGreaterThanOrEqual(5);
    const words = Array.from({ length: 40 }, (_, i) => `word${i + 1}`).join(' ');
    expect(orchestrator.text()).toBe(words);
    let length = 0;
    for (const { offset, text } of orchestrator.of('AssistantTextAppended')) {
      expect(offset).toBe(length);
      length += text.length;
    }
    expect(finish()).toMatchObject({ outcome: 'completed' });
  });

  it('cancels within a second, background children of tools included, and still makes the checkpoint', async () => {
    const marker = `3600.${Date.now() % 100_000}`;
    await startReady();
    orchestrator.prompt(
      `write kept.txt: yes\nrun: setsid sleep ${marker} >/dev/null 2>&1 & (nohup sleep ${marker} >/dev/null 2>&1 &) ; sleep 0.1; echo started\nslow: 200`,
    );
    await orchestrator.until('slow text', () => orchestrator.text().includes('word3'));
    expect(isAlive(`sleep ${marker}`)).toBe(true);
    const at = Date.now();
    orchestrator.send({ kind: 'cancel', turnId: 'turn-1' });
    while (isAlive(`sleep ${marker}`) && Date.now() - at < 3_000) await delay(20);
    expect(Date.now() - at).toBeLessThan(1_000);
    await orchestrator.finished();
    expect(finish()).toMatchObject({ outcome: 'cancelled', reason: { code: 'turn.cancelled' } });
    expect(orchestrator.of('CheckpointCreated')).toMatchObject([{ stats: { files: 1 } }]);
    orchestrator.prompt('say: next', { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    expect(finish()).toMatchObject({ outcome: 'completed' });
  });

  inNamespace('ends everything in a pid namespace of its own, also what hides the sandbox id', async () => {
    const marker = `3602.${Date.now() % 100_000}`;
    const own = ['--unshare-user', '--uid', '1000', '--gid', '1000', '--unshare-pid', '--die-with-parent'];
    const runner = await startReady({}, null, [
      'bwrap',
      ...own,
      '--ro-bind',
      '/',
      '/',
      '--dev',
      '/dev',
      '--proc',
      '/proc',
      '--bind',
      folder,
      folder,
    ]);
    orchestrator.prompt(`run: (env -i setsid sleep ${marker} >/dev/null 2>&1 &) ; echo ok\nwrite a.txt: x\nslow: 200`);
    await orchestrator.until('slow text', () => orchestrator.text().includes('word2'));
    expect(isAlive(`sleep ${marker}`)).toBe(true);
    orchestrator.send({ kind: 'cancel', turnId: 'turn-1' });
    await orchestrator.finished();
    expect(isAlive(`sleep ${marker}`)).toBe(false);
    expect(orchestrator.of('CheckpointCreated')).toMatchObject([{ stats: { files: 1 } }]);
    orchestrator.prompt('run: echo again', { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    expect(finish()).toMatchObject({ outcome: 'completed' });
    orchestrator.send({ kind: 'stop', reason: { code: 'session.idle', message: 'idle' } });
    expect(await runner.exited).toBe(RUNNER_EXIT.stopped);
  });

  it('leaves alone what the driver put around it', async () => {
    const log = join(folder, 'log');
    const runner = await startReady({}, null, ['sh', '-c', `{ "$@"; } 2>&1 | tee ${log}`, 'sh']);
    orchestrator.prompt('run: echo one');
    await orchestrator.finished();
    orchestrator.prompt('run: echo two', { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    await orchestrator.until('log', () => runner.log().includes('"turnId":"turn-2"'));
  });

  it('names session, sandbox and generation in every line of its log, and the turn and its trace while one runs', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const runner = await startReady();
    orchestrator.prompt('run: true', { traceparent });
    await orchestrator.finished();
    await orchestrator.until('idle', () => runner.log().includes('"idle"'));
    const lines = runner.log().trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines) expect(line).toMatchObject({ sessionId: SESSION, sandboxId: expect.any(String), generation: 1 });
    const ofTurn = lines.filter((line) => line['traceparent'] === traceparent && line['turnId'] === 'turn-1' && line['attempt'] === 1);
    // The agent may start within the turn or before it.
    expect(ofTurn.map(({ msg }) => msg).filter((msg) => msg !== 'agent started')).toEqual(['stage entered', 'turn finished']);
    expect(lines.find(({ stage }) => stage === 'idle')).not.toHaveProperty('turnId');
  });

  it('cancels a tool that runs, and ends what a completed turn left in the background', async () => {
    const marker = `3601.${Date.now() % 100_000}`;
    await startReady();
    orchestrator.prompt(`run: sleep ${marker}`);
    await orchestrator.until('tool', () => isAlive(`sleep ${marker}`));
    orchestrator.send({ kind: 'cancel', turnId: 'turn-1' });
    await orchestrator.finished();
    expect(isAlive(`sleep ${marker}`)).toBe(false);
    expect(orchestrator.of('ToolCallCompleted')).toMatchObject([{ outcome: 'cancelled' }]);
    expect(finish()).toMatchObject({ outcome: 'cancelled' });
    orchestrator.prompt(`run: (setsid sleep ${marker} >/dev/null 2>&1 &) ; echo ok`, { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    expect(isAlive(`sleep ${marker}`)).toBe(false);
  });

  it('reports a killed agent with its signal, keeps what it did, and resumes with the next prompt', async () => {
    const runner = await startReady();
    orchestrator.prompt('write half.txt: done\nslow: 100');
    await orchestrator.until('text', () => orchestrator.text().includes('word2'));
    process.kill(agentPidOf(runner), 'SIGKILL');
    await orchestrator.finished();
    expect(orchestrator.of('AgentFailed')).toMatchObject([
      { turnId: 'turn-1', exitCode: -1, signal: 'SIGKILL', reason: { code: 'agent.crashed' } },
    ]);
    expect(orchestrator.of('CheckpointCreated')).toMatchObject([{ stats: { files: 1 } }]);
    expect(finish()).toMatchObject({ outcome: 'failed', reason: { code: 'agent.crashed' } });
    orchestrator.prompt('say: back', { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    expect(orchestrator.of('AgentStarted').at(-1)?.conversation).toBe('resumed');
    expect(finish()).toMatchObject({ outcome: 'completed' });
  });

  it('never lets the model key out: not in frames, objects, spool, log, arguments or files', async () => {
    const runner = await startReady(
      { agent: { name: 'pi', model: 'claude-sonnet-5', modelProvider: 'anthropic', baseUrl: model.url } },
      CANARY,
    );
    const half = Math.floor(CANARY.length / 2);
    orchestrator.holdAcknowledgements = false;
    orchestrator.prompt(
      `run: env; cat /proc/$PPID/environ | tr '\\0' '\\n'; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep canary\nsay: ${CANARY.slice(0, half)}\nslow: 5`,
    );
    await orchestrator.until('running', () => orchestrator.of('ToolCallStarted').length > 0);
    const cmdlines = spawnSync('sh', ['-c', 'cat /proc/[0-9]*/cmdline'], { encoding: 'latin1' }).stdout;
    await orchestrator.finished();
    expect(finish()).toMatchObject({ outcome: 'completed' });
    expect(keys).toContain(CANARY);
    expect(JSON.stringify(orchestrator.of('ToolCallCompleted'))).toContain('[secret]');
    expect(orchestrator.raw).not.toContain(CANARY);
    expect([...orchestrator.objects.values()].some((bytes) => bytes.includes(CANARY))).toBe(false);
    expect(cmdlines).not.toContain(CANARY);
    expect(runner.log()).not.toContain(CANARY);
    expect(runner.log()).not.toContain(tokenOf(1));
    // The conversation that the agent keeps for itself is inside the sandbox and holds what its tools printed.
    expect(
      spawnSync(
        'grep',
        ['-rl', CANARY, join(folder, 'spool-1'), join(folder, 'workspace'), join(folder, 'home', '.pi', 'agent')],
        { encoding: 'utf8' },
      ).stdout,
    ).toBe('');
  });

  it('does not hand out changes that contain the model key', async () => {
    await startReady({ agent: { name: 'pi', model: 'claude-sonnet-5', modelProvider: 'anthropic', baseUrl: model.url } }, CANARY);
    orchestrator.prompt(`write leak.txt: ${CANARY}`);
    await orchestrator.finished();
    expect(finish()).toMatchObject({ outcome: 'failed', reason: { code: 'checkpoint.holds-secret' } });
    expect(orchestrator.objects.size).toBe(0);
    orchestrator.prompt('run: rm leak.txt; touch fine.txt', { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    expect(orchestrator.of('CheckpointCreated')).toMatchObject([{ turnId: 'turn-2' }]);
    const bundlePath = join(folder, 'b.bundle');
    await writeFile(bundlePath, orchestrator.objects.get(orchestrator.of('CheckpointCreated')[0]?.bundle.sha256 ?? '') ?? '');
    git(source, 'fetch', '-q', bundlePath, `bullpen/${SESSION}:restored`);
    expect(git(source, 'log', '-p', 'restored')).not.toContain(CANARY);
  });

  it('keeps long output as an object and shows its head and tail', async () => {
    await startReady();
    orchestrator.prompt('run: seq -s , 1 9000');
    await orchestrator.finished();
    const [call] = orchestrator.of('ToolCallCompleted');
    expect(call?.output.bytes).toBeGreaterThan(16 * 1024);
    expect(orchestrator.objects.get(call?.output.sha256 ?? '')?.toString()).toContain('9000');
    expect(call?.output.tail).toContain('9000');
  });

  it('says why a branch or a source cannot be used, and exits 2', async () => {
    const runner = await start({ repository: { name: 'sample', source, branch: 'nope' } });
    expect(await runner.exited).toBe(RUNNER_EXIT.workspaceFailed);
    expect(orchestrator.failed?.reason).toMatchObject({
      code: 'repository.branch-missing',
      message: expect.stringContaining('nope'),
    });
    const other = await start({
      repository: { name: 'x', source: '/nowhere', branch: 'main' },
      sourcePath: join(folder, 'nowhere'),
      generation: 2,
    });
    expect(await other.exited).toBe(RUNNER_EXIT.workspaceFailed);
    expect(orchestrator.failed?.reason.code).toBe('repository.not-readable');
  });

  it('stops: the turn is cancelled with a checkpoint, then it exits 0 and leaves nothing running', async () => {
    const runner = await startReady();
    orchestrator.prompt('write a.txt: x\nslow: 200');
    await orchestrator.until('text', () => orchestrator.text().includes('word2'));
    const agentPid = agentPidOf(runner);
    orchestrator.send({ kind: 'stop', reason: { code: 'session.idle', message: 'idle' } });
    expect(await runner.exited).toBe(RUNNER_EXIT.stopped);
    expect(orchestrator.frames.slice(-2).map(({ type }) => type)).toEqual(['CheckpointCreated', 'AgentTurnFinished']);
    expect(finish()).toMatchObject({ outcome: 'cancelled' });
    expect(() => process.kill(agentPid, 0)).toThrow();
  });

  it('exits 3 when it is refused', async () => {
    const runner = await startReady();
    orchestrator.send({ kind: 'refused', reason: { code: 'generation.superseded', message: 'superseded' } });
    expect(await runner.exited).toBe(RUNNER_EXIT.refused);
  });

  it('starts an agent again that ended between two prompts', async () => {
    const runner = await startReady();
    await orchestrator.until('agent', () => runner.log().includes('agent started'));
    const first = agentPidOf(runner);
    process.kill(first, 'SIGKILL');
    await orchestrator.until('second agent', () => agentPidOf(runner) !== first);
    orchestrator.prompt('say: hi');
    await orchestrator.finished();
    expect(finish()).toMatchObject({ outcome: 'completed' });
  });

  it('says why the agent does not start, and still ends the turn', async () => {
    const agents = join(folder, 'no-agents');
    const runner = await startReady({}, null, ['env', `BULLPEN_AGENTS=${agents}`]);
    orchestrator.prompt('say: hi');
    await orchestrator.finished();
    expect(orchestrator.frames.map(({ type }) => type)).toEqual([
      'AgentStarted',
      'AgentFailed',
      'CheckpointCreated',
      'AgentTurnFinished',
    ]);
    expect(finish()).toMatchObject({ outcome: 'failed', reason: { code: 'agent.missing' } });
    runner.child.kill('SIGTERM');
    expect(await runner.exited).toBe(RUNNER_EXIT.stopped);
  });

  it('ends itself when no orchestrator answers for long', async () => {
    await orchestrator.close();
    const redactor = new Redactor([]);
    const lines: string[] = [];
    const runner = await Runner.create({
      spec: specOf(1),
      modelKey: null,
      agent: createPiAgent({ nodePath: NODE, agentsFolder: ROOT }),
      environment: { PATH: process.env['PATH'] ?? '' },
      redactor,
      log: createRunnerLog(redactor, {}, (line) => lines.push(line)),
      reconnectMs: 700,
    });
    expect(await runner.run()).toBe(RUNNER_EXIT.linkLost);
    expect(lines.join('')).toContain('no orchestrator');
  });

  it('goes on from the checkpoint and the kept home in the next generation', async () => {
    const runner = await startReady();
    orchestrator.prompt('write a.txt: one');
    await orchestrator.finished();
    const [checkpoint] = orchestrator.of('CheckpointCreated');
    const bundlePath = join(folder, 'checkpoint.bundle');
    await writeFile(bundlePath, orchestrator.objects.get(checkpoint?.bundle.sha256 ?? '') ?? '');
    runner.child.kill('SIGKILL');
    await orchestrator.close();
    orchestrator = new ScriptedOrchestrator();
    await orchestrator.listen(port);
    const paths = { workspace: join(folder, 'workspace-2'), home: join(folder, 'home'), spool: join(folder, 'spool-2') };
    await startReady({
      generation: 2,
      paths,
      checkpoint: { sha: checkpoint?.sha ?? '', base: checkpoint?.base ?? '', bundlePath },
    });
    expect(await readFile(join(folder, 'workspace-2', 'a.txt'), 'utf8')).toBe('one\n');
    orchestrator.prompt('say: nothing to do', { turnId: 'turn-1b' });
    await orchestrator.finished('turn-1b');
    const [unchanged] = orchestrator.of('CheckpointCreated');
    expect(unchanged).toMatchObject({ sha: checkpoint?.sha, patch: checkpoint?.patch, turnPatch: { sha256: '' } });
    // Of itself enough for a third generation.
    await writeFile(bundlePath, orchestrator.objects.get(unchanged?.bundle.sha256 ?? '') ?? '');
    git(source, 'fetch', '-q', bundlePath, `bullpen/${SESSION}:restored`);
    expect(git(source, 'show', 'restored:a.txt')).toBe('one');
    orchestrator.prompt('write b.txt: two', { turnId: 'turn-2' });
    await orchestrator.finished('turn-2');
    expect(orchestrator.of('AgentStarted')[0]?.conversation).toBe('resumed');
    expect(orchestrator.of('AssistantTextAppended')[0]?.partId).toMatch(/^2\./);
    expect(orchestrator.of('CheckpointCreated')[1]).toMatchObject({
      parent: checkpoint?.sha,
      base: checkpoint?.base,
      stats: { files: 2 },
    });
  });
});

function agentPidOf(runner: RunnerUnderTest): number {
  const line =
    runner
      .log()
      .split('\n')
      .findLast((text) => text.includes('"agent started"')) ?? '{}';
  return Number((JSON.parse(line) as { pid?: number }).pid);
}
