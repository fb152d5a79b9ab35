import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Server } from 'socket.io';
import type { Socket } from 'socket.io';

import type { EventData, EventType, SessionEvent } from '@bullpen/contracts';
import { foldSession } from '@bullpen/session-model';
import type { SubscribeRequest } from '@bullpen/sync-protocol';

import type { CliHost } from './host.js';
import { runCli } from './program.js';

/** Goal: every command as a person types it. Method: the CLI in this process, against a small platform that speaks the real protocol. */
const ID = '00aaaaaaaaaaaaaaaaaaaaaaa1x7';
const OTHER_ID = '00aaaaaaaaaaaaaaaaaaaaaaa2y8';
let home: string;
let platform: Platform;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'bullpen-cli-'));
  platform = await Platform.start();
  writeFileSync(join(home, 'token'), 'secret\n');
  writeFileSync(join(home, 'run.json'), JSON.stringify({ url: platform.url }));
});
afterEach(async () => {
  await platform.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('bullpen run', () => {
  it('streams the turn and exits 0 when it completed', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    const { code, stdout, stderr } = await cli(['run', '--repo', 'sample', 'say hi']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Scripted model: no API key set');
    expect(stdout).toContain('> say hi\n');
    expect(stdout).toMatch(/hello from the agent\n[^]*pushed[^]*✓ completed in 1\.0s\n$/);
    expect(platform.requests[0]).toMatchObject({ method: 'POST', url: '/api/v1/sessions', body: { repository: 'sample', prompt: 'say hi' } });
  });

  it('exits 1 when the turn failed or was cancelled, and says how to try again', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'failed');
    const failed = await cli(['run', '--repo', 'sample', 'x']);
    expect(failed).toMatchObject({ code: 1, stderr: `To try that turn again:  ./bullpen retry ${ID}\n` });
    expect(failed.stdout).toContain('✗ failed');
    platform.reset();
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'cancelled');
    expect(await cli(['run', '--repo', 'sample', 'x'])).toMatchObject({ code: 1, stderr: '' });
  });

  it('goes on exactly where it was when the connection is cut, and says so', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed', { cutAfter: 'AssistantTextAppended' });
    const { code, stdout, stderr } = await cli(['run', '--repo', 'sample', 'x']);
    expect(code).toBe(0);
    expect(stderr).toBe('! connection lost, retrying…\n! connected again\n');
    expect(stdout.match(/hello from the agent/g)).toHaveLength(1);
    expect(platform.subscriptions.map((request) => request.after)).toEqual(['0', platform.cutAt]);
  });

  it('sends a command again under the same key until it gets through, and once only takes effect', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    platform.failures = ['destroy', 503];
    const { code, stderr } = await cli(['run', '--repo', 'sample', 'x']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '! The log is restarting. Trying again…\n' });
    const keys = platform.requests.filter(({ method }) => method === 'POST').map(({ key }) => key);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toBeTruthy();
  });

  it('makes a path absolute, reads the prompt from standard input, and leaves names alone', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    mkdirSync(join(home, 'shop'));
    await cli(['run', '--repo', './shop', '--branch', 'b', '--title', 't', '-'], { cwd: home, stdin: 'from stdin' });
    expect(platform.requests[0]?.body).toEqual({ repository: join(home, 'shop'), branch: 'b', title: 't', prompt: 'from stdin' });
  });

  it('finds the working copy that a folder lies in, and says what of it is not included', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    const top = join(realpathSync(home), 'copy');
    mkdirSync(join(top, 'inner', 'most'), { recursive: true });
    execFileSync('git', ['init', '-q', top]);
    const clean = await cli(['run', '--repo', '.', 'x'], { cwd: join(top, 'inner', 'most') });
    expect(platform.requests[0]?.body).toMatchObject({ repository: top });
    expect(clean.stderr).toBe('');
    platform.reset();
    writeFileSync(join(top, 'new.txt'), 'x');
    const changed = await cli(['run', '--repo', './inner', 'x'], { cwd: top });
    expect(changed).toMatchObject({ code: 0, stderr: expect.stringContaining('1 uncommitted change is not included') as unknown });
  });

  it('says what helps instead of a retry that would end in the same way', async () => {
    platform.onPrompt = (promptId) => {
      platform.startTurn(promptId);
      platform.endTurn('failed', 'checkpoint.holds-secret');
    };
    const { stderr } = await cli(['run', '--repo', 'sample', 'x']);
    expect(stderr).toBe(`To go on:  ./bullpen prompt ${ID} "remove the key from the files"\n`);
    platform.reset();
    platform.onPrompt = (promptId) => {
      platform.startTurn(promptId);
      const reason = { code: 'model.not-configured', message: 'No.' };
      platform.append('SandboxSpawnFailed', { generation: 1, attempt: 1, reason, logTail: '', retryAt: '' });
      platform.endTurn('failed', 'sandbox.failed');
    };
    expect((await cli(['run', '--repo', 'sample', 'x'])).stderr).toMatch(/start a new session: {2}\.\/bullpen run [^\n]*\n$/);
  });

  it('detaches at Ctrl-C, and says how to come back', async () => {
    platform.onPrompt = (promptId) => platform.startTurn(promptId);
    let interrupt = (): void => undefined;
    const running = cli(['run', '--repo', 'sample', 'x'], { onInterrupt: (callback) => (interrupt = callback) });
    await platform.subscribed();
    interrupt();
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toContain(`./bullpen attach ${ID}`);
  });
});

describe('bullpen prompt', () => {
  it('shows nothing of the turn before its own', async () => {
    platform.create();
    platform.startTurn(platform.queue('first'));
    platform.onPrompt = (promptId) => {
      platform.endTurn('completed');
      platform.playTurn(promptId, 'completed');
    };
    const { code, stdout, stderr } = await cli(['prompt', 'x7', 'second']);
    expect(code).toBe(0);
    expect(stderr).toBe('Queued, next in line.\n');
    expect(stdout).not.toContain('> first');
    expect(stdout).toContain('> second\n');
    expect(stdout.match(/✓ completed/g)).toHaveLength(1);
    expect(stdout).toContain('Scripted model: no API key set');
  });

  it('does not wait behind a sandbox that could not be started', async () => {
    platform.create();
    platform.startTurn(platform.queue('first'));
    platform.onPrompt = () => platform.endTurn('failed', 'sandbox.failed');
    const { code, stderr } = await cli(['prompt', ID, 'second']);
    expect(code).toBe(1);
    expect(stderr).toContain(`Prompts wait because no sandbox could be started. To go on:  ./bullpen retry ${ID}`);
  });

  it('only queues with --no-wait', async () => {
    platform.create();
    const { code, stdout } = await cli(['prompt', ID, 'later', '--no-wait']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'prompt1\n' });
    expect(platform.subscriptions).toEqual([]);
  });
});

describe('bullpen attach', () => {
  it('shows what was and ends when nothing runs or waits, with the outcome of the last turn', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'completed');
    platform.playTurn(platform.queue('two'), 'failed');
    const { code, stdout } = await cli(['attach', 'last']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/> one\n[^]*✓ completed[^]*> two\n[^]*✗ failed/);
  });

  it('waits for the running turn and for what is queued behind it', async () => {
    platform.create();
    platform.startTurn(platform.queue('one'));
    const second = platform.queue('two');
    const attached = cli(['attach', ID]);
    await platform.subscribed();
    platform.endTurn('failed');
    platform.playTurn(second, 'completed');
    const { code, stdout } = await attached;
    expect(code).toBe(0);
    expect(stdout).toMatch(/> one\n[^]*\+ queued by Ada: two[^]*✗ failed[^]*> two\n[^]*✓ completed/);
  });

  it('does not wait for prompts behind a sandbox that could not be started', async () => {
    platform.create();
    platform.startTurn(platform.queue('one'));
    platform.queue('two');
    platform.endTurn('failed', 'sandbox.failed');
    const { code, stderr } = await cli(['attach', ID]);
    expect(code).toBe(1);
    expect(stderr).toContain('Prompts wait');
  });
});

describe('bullpen events', () => {
  it('prints every page as lines and as JSON, and from an event on', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'completed');
    const { code, stdout } = await cli(['events', ID, '--json']);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual(platform.log);
    const after = platform.log[2]?.id ?? '';
    const lines = (await cli(['events', ID, '--after', after])).stdout.trim().split('\n');
    expect(lines).toHaveLength(platform.log.length - 3);
    expect(lines[0]).toContain(platform.log[3]?.type);
    expect(await cli(['events', ID, '--after', 'x'])).toMatchObject({ code: 2 });
  });

  it('refuses an event that the session does not have, also with --follow', async () => {
    platform.create();
    for (const options of [[], ['--follow']]) {
      const { code, stdout, stderr } = await cli(['events', ID, '--after', '999', ...options]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('event.unknown');
    }
  });

  it('stays with --follow, each event once, until Ctrl-C', async () => {
    platform.create();
    let interrupt = (): void => undefined;
    const following = cli(['events', ID, '--json', '--follow'], { onInterrupt: (callback) => (interrupt = callback) });
    await platform.subscribed();
    platform.playTurn(platform.queue('one'), 'completed', { cutAfter: 'ToolCallStarted' });
    await platform.subscribed(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    interrupt();
    const { code, stdout } = await following;
    expect(code).toBe(130);
    expect(stdout.trim().split('\n').map((line) => (JSON.parse(line) as SessionEvent).id)).toEqual(platform.log.map((event) => event.id));
  });
});

describe('bullpen cancel, retry, diff, sessions', () => {
  it('cancels, and says when there is nothing to cancel', async () => {
    platform.create();
    expect(await cli(['cancel', ID])).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to cancel') as unknown });
    platform.startTurn(platform.queue('one'));
    expect(await cli(['cancel', ID])).toMatchObject({ code: 0, stdout: `Cancelling the running turn of ${ID}.\n` });
  });

  it('retries the failed turn and shows that attempt only', async () => {
    platform.create();
    platform.playTurn(platform.queue('flaky'), 'failed');
    const { code, stdout } = await cli(['retry', ID]);
    expect(code).toBe(0);
    expect(stdout).toContain('> flaky\n');
    expect(stdout).toContain('! attempt 2\n');
    expect(stdout).not.toContain('✗ failed');
    expect(await cli(['retry', ID])).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to retry') as unknown });
  });

  it('prints the patch as it is to a pipe, coloured and harmless to a terminal', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'completed');
    platform.patch = 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\u001b[2J\n';
    expect((await cli(['diff', ID])).stdout).toBe(platform.patch);
    const screen = (await cli(['diff', ID, '--turn', '1'], { isTTY: true })).stdout;
    expect(screen).toContain('\u001b[31m-a\u001b[39m\n\u001b[32m+b␛[2J\u001b[39m');
    expect(platform.requests.at(-1)?.url).toContain('diff?turn=turn-prompt1');
    expect(await cli(['diff', ID, '--turn', '5'])).toMatchObject({ code: 3 });
    platform.patch = Buffer.from('+caf\u00e9\n', 'latin1');
    expect((await cli(['diff', ID])).stdout).toBe('+caf\u00e9\n');
  });

  it('lists sessions as a table and as JSON', async () => {
    platform.create();
    const { stdout } = await cli(['sessions']);
    expect(stdout).toMatch(/^ID +STATUS +REPOSITORY +TURNS +FILES +UPDATED +TITLE\n/);
    expect(stdout).toContain(ID);
    expect(JSON.parse((await cli(['sessions', '--json', '--status', 'idle'])).stdout)).toMatchObject([{ id: ID }, { id: OTHER_ID }]);
    expect(platform.requests.at(-1)?.url).toContain('status=idle');
  });

  it('finds a session by the unique beginning or end of its id only', async () => {
    platform.create();
    expect(await cli(['cancel', '1x7'])).toMatchObject({ code: 0 });
    const ambiguous = await cli(['cancel', '00aaaa']);
    expect(ambiguous.code).toBe(3);
    expect(ambiguous.stderr).toContain(OTHER_ID);
    expect((await cli(['cancel', 'zzz'])).stderr).toContain('session.not-found');
  });
});

describe('what goes wrong', () => {
  it('says where it looked when nothing listens there', async () => {
    await platform.stop();
    const { code, stderr } = await cli(['sessions']);
    expect(code).toBe(3);
    expect(stderr).toContain(`Cannot reach the platform at ${platform.url}`);
    expect(stderr).toContain('run.json');
    expect(stderr).toContain('make up');
  });

  it('prints the problem of the platform with its code and what to do', async () => {
    platform.problem = { status: 422, code: 'repository.branch-missing', detail: 'There is no branch nope.\u001b[2J' };
    const { code, stderr } = await cli(['run', '--repo', 'sample', '--branch', 'nope', 'x']);
    expect(code).toBe(3);
    expect(stderr).toBe(
      'error: There is no branch nope.␛[2J\n  code: repository.branch-missing\n  next: name a branch that the repository has with --branch\n',
    );
  });

  it('keeps the token of this machine from other ones', async () => {
    const { code, stderr } = await cli(['--url', 'http://example.com', 'sessions']);
    expect(code).toBe(3);
    expect(stderr).toContain('token.missing');
  });

  it('exits 2 on wrong usage and 0 on help', async () => {
    expect(await cli(['run', 'no repo'])).toMatchObject({ code: 2 });
    expect(await cli(['run', '--repo', 'sample', '  '])).toMatchObject({ code: 2 });
    expect(await cli(['sessions', '--status', 'nope'])).toMatchObject({ code: 2 });
    expect(await cli(['frobnicate'])).toMatchObject({ code: 2 });
    for (const option of ['--repo', '--branch', '--title']) {
      expect(await cli(['run', '--repo', 'sample', option, '', 'x'])).toMatchObject({ code: 2, stderr: expect.stringContaining(option) as unknown });
    }
    expect(await cli(['events', ID, '--after', 'x'])).toMatchObject({ code: 2 });
    platform.create();
    expect(await cli(['diff', ID, '--turn', 'x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--turn x') as unknown });
    for (const command of ['run', 'prompt', 'retry', 'cancel', 'attach', 'events', 'diff', 'sessions']) {
      const { code, stdout } = await cli([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain('Examples:');
    }
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });
});

interface CliOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly onInterrupt?: (callback: () => void) => void;
}

async function cli(args: readonly string[], options: CliOptions = {}): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  // Byte for byte: what is no text stays what it was.
  const textOf = (output: string | Uint8Array): string => (typeof output === 'string' ? output : Buffer.from(output).toString('latin1'));
  const host: CliHost = {
    environment: { BULLPEN_HOME: home },
    cwd: options.cwd ?? tmpdir(),
    checkout: tmpdir(),
    stdout: { isTTY: options.isTTY ?? false, columns: 80, write: (text) => (stdout += textOf(text)) },
    stderr: { write: (text) => (stderr += textOf(text)) },
    readStdin: () => Promise.resolve(options.stdin ?? ''),
    onInterrupt: (callback) => {
      options.onInterrupt?.(callback);
      return () => undefined;
    },
  };
  const code = await runCli(args, host);
  return { code, stdout, stderr };
}

interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly body: unknown;
}

/** One session in memory, behind REST and Socket.IO as the gateway speaks them. */
class Platform {
  log: SessionEvent[] = [];
  requests: SeenRequest[] = [];
  subscriptions: SubscribeRequest[] = [];
  patch: string | Buffer = '';
  cutAt = '';
  /** What happens to the next requests, before any is answered. */
  failures: (number | 'destroy')[] = [];
  problem: { status: number; code: string; detail: string } | null = null;
  onPrompt: (promptId: string) => void = () => undefined;
  readonly #answers = new Map<string, object>();
  #prompts = 0;
  readonly #sockets = new Map<Socket, number>();

  private constructor(
    private readonly http: HttpServer,
    private readonly io: Server,
  ) {}

  static async start(): Promise<Platform> {
    const http = createServer((request, response) => void platform.#handle(request, response));
    const io = new Server(http, { transports: ['websocket'] });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const platform = new Platform(http, io);
    io.use((socket, next) => next(socket.handshake.auth['token'] === 'secret' ? undefined : new Error('no')));
    io.on('connection', (socket) => {
      socket.on('session.subscribe', (request: SubscribeRequest, acknowledge: (answer: object) => void) => platform.#subscribe(socket, request, acknowledge));
      socket.on('disconnect', () => platform.#sockets.delete(socket));
    });
    return platform;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo | null)?.port ?? this.#port}`;
  }

  #port = 0;
  async stop(): Promise<void> {
    this.#port = (this.http.address() as AddressInfo | null)?.port ?? this.#port;
    this.http.closeAllConnections();
    await this.io.close();
  }

  reset(): void {
    this.log = [];
    this.#prompts = 0;
  }

  async subscribed(times = 1): Promise<void> {
    for (let waited = 0; this.subscriptions.length < times; waited += 10) {
      if (waited > 5_000) throw new Error('nobody subscribed');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  create(): void {
    const repository = { id: '00r', name: 'sample', source: '/s' };
    this.append('SessionCreated', {
      organisationId: '00o', title: 'T', repository, branch: 'main', agent: 'pi', model: 'scripted-1', modelProvider: 'scripted', requestHash: '',
    });
  }

  queue(text: string): string {
    const promptId = `prompt${++this.#prompts}`;
    this.append('PromptQueued', { promptId, text, author: { name: 'Ada', email: 'a@b' }, requestHash: '' });
    return promptId;
  }

  startTurn(promptId: string, attempt = 1): void {
    this.append('TurnStarted', { turnId: `turn-${promptId}`, promptId, attempt });
    this.append('AgentStarted', { turnId: `turn-${promptId}`, attempt, agent: 'pi', model: 'm', conversation: 'new' });
  }

  endTurn(outcome: 'completed' | 'failed' | 'cancelled', code = 'agent.crashed'): void {
    const running = this.#state().turns.findLast((turn) => turn.endedAt === null);
    if (!running) throw new Error('no turn runs');
    const reason = outcome === 'failed' ? { reason: { code, message: 'It broke.' } } : {};
    this.append('TurnEnded', { turnId: running.turnId, attempt: running.attempt, outcome, ...reason }, 1);
  }

  playTurn(promptId: string, outcome: 'completed' | 'failed' | 'cancelled', { cutAfter = '', attempt = 1 } = {}): void {
    const turnId = `turn-${promptId}`;
    const ref = { sha256: '', bytes: 0 };
    this.startTurn(promptId, attempt);
    const step = <T extends EventType>(type: T, data: EventData[T]): void => {
      this.append(type, data);
      if (type === cutAfter) this.#cut();
    };
    step('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'hello from the agent' });
    step('ToolCallStarted', { toolCallId: 'c', name: 'bash', title: 'ls', input: {} });
    step('ToolCallCompleted', { toolCallId: 'c', outcome: 'succeeded', output: { text: 'x', tail: '', sha256: '', bytes: 1 }, durationMs: 3 });
    step('CheckpointCreated', {
      turnId, attempt, sha: 'new', parent: 'old', base: 'old', branch: `bullpen/${ID}`,
      stats: { files: 1, insertions: 1, deletions: 0 }, patch: ref, turnPatch: ref, bundle: ref,
    });
    this.endTurn(outcome);
    this.append('BranchPushed', { branch: `bullpen/${ID}`, sha: 'new' });
  }

  append<T extends EventType>(type: T, data: EventData[T], seconds = 0): void {
    const number = this.log.length + 1;
    this.log.push({
      id: String(number * 256), prev: number === 1 ? null : String((number - 1) * 256), sessionId: ID, lane: 'core', type, v: 1,
      at: new Date(Date.UTC(2026, 10, 23) + seconds * 1_000).toISOString(), actor: { kind: 'user', id: 'local', name: 'Ada' }, data: data as SessionEvent['data'],
    });
    for (const socket of this.#sockets.keys()) this.#sendTail(socket);
  }

  #cut(): void {
    this.cutAt = this.log.at(-1)?.id ?? '0';
    for (const socket of this.#sockets.keys()) setImmediate(() => socket.conn.close());
    this.#sockets.clear();
  }

  #state() {
    return foldSession(ID, this.log);
  }

  #subscribe(socket: Socket, request: SubscribeRequest, acknowledge: (answer: object) => void): void {
    this.subscriptions.push(request);
    const after = request.after ?? '0';
    this.#sockets.set(socket, after === '0' ? 0 : this.log.findIndex((event) => event.id === after) + 1);
    acknowledge({ ok: true, head: this.log.at(-1)?.id ?? '0', epoch: 'e' });
    this.#sendTail(socket);
    // What a prompt does happens while somebody watches.
    this.#react();
  }

  #pending: (() => void)[] = [];
  #react(): void {
    for (const act of this.#pending.splice(0)) act();
  }

  #sendTail(socket: Socket): void {
    const from = this.#sockets.get(socket) ?? 0;
    this.#sockets.set(socket, this.log.length);
    if (from < this.log.length) socket.emit('session.events', { sessionId: ID, events: this.log.slice(from) });
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const body: unknown = method === 'POST' ? await json(request) : undefined;
    const key = headers['idempotency-key'] as string | undefined;
    this.requests.push({ method, url, key, body });
    const failure = this.failures.shift();
    if (failure === 'destroy') return void request.socket.destroy();
    if (failure !== undefined) return send(response, failure, { code: 'log.unavailable', detail: 'The log is restarting.' });
    if (headers.authorization !== 'Bearer secret') return send(response, 401, { code: 'auth.invalid', detail: 'No.' });
    if (this.problem !== null) return send(response, this.problem.status, this.problem);
    if (key === undefined) return this.#read(url, response);
    const answer = this.#answers.get(key) ?? this.#command(url, body as Record<string, string>);
    this.#answers.set(key, answer);
    send(response, 202, answer);
  }

  #read(url: string, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (pathname.endsWith('/diff')) return void response.end(this.patch);
    if (pathname.endsWith('/events')) {
      const after = searchParams.get('after');
      const from = after === '0' ? 0 : this.log.findIndex((event) => event.id === after) + 1;
      if (after !== '0' && from === 0) return send(response, 400, { code: 'event.unknown', detail: `There is no event ${after}.` });
      const events = this.log.slice(from, from + 4);
      return send(response, 200, { epoch: 'e', events, head: this.log.at(-1)?.id, more: from + 4 < this.log.length });
    }
    if (pathname.endsWith(ID)) return send(response, 200, { id: ID, ...this.#state() });
    const row = (id: string) => ({ id, title: 'T', status: 'idle', repository: { id: '00r', name: 'sample' }, turns: 1, filesChanged: 0, updatedAt: '' });
    // A page holds one row, so that paging is part of every search.
    const isFirst = searchParams.get('cursor') === null;
    send(response, 200, { sessions: [row(isFirst ? ID : OTHER_ID)], nextCursor: isFirst ? 'next' : null, stale: false });
  }

  #command(url: string, body: Record<string, string>): object {
    const running = this.#state().runningTurnId !== null;
    if (url.endsWith('/cancel')) return { cancelling: running, head: '0' };
    if (url.endsWith('/retry')) return this.#retry();
    if (url.endsWith('/sessions')) this.create();
    const promptId = this.queue(String(body['prompt'] ?? body['text']));
    this.#pending.push(() => this.onPrompt(promptId));
    return { id: ID, promptId, position: running ? 1 : 0, head: this.log.at(-1)?.id };
  }

  #retry(): object {
    const last = this.#state().turns.at(-1);
    if (last?.state !== 'failed') return { retrying: false, head: '0' };
    this.#pending.push(() => this.playTurn(last.promptId, 'completed', { attempt: 2 }));
    return { retrying: true, head: '0' };
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
