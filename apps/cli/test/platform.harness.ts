import { createServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

import { Server } from 'socket.io';
import type { Socket } from 'socket.io';

import type { EventData, EventType, SessionEvent } from '@bullpen/contracts';
import { foldSession } from '@bullpen/session-model';
import type { SubscribeRequest } from '@bullpen/sync-protocol';

import type { CliHost } from '../src/host.js';
import { runCli } from '../src/program.js';

export const ID = '00aaaaaaaaaaaaaaaaaaaaaaa1x7';
export const OTHER_ID = '00aaaaaaaaaaaaaaaaaaaaaaa2y8';

const REPOSITORY = { id: '00r', name: 'sample', source: '/s', defaultBranch: 'main', addedAt: '', lastUsedAt: null };

export interface CliOptions {
  readonly cwd?: string;
  readonly stdin?: string;
  readonly isTTY?: boolean;
  readonly ask?: CliHost['ask'];
  readonly onInterrupt?: (callback: () => void) => void;
}

export interface CliEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly key: string | undefined;
  readonly body: unknown;
}

/** One session in memory, behind REST and Socket.IO as the gateway speaks them. */
export class Platform {
  readonly home = mkdtempSync(join(tmpdir(), 'bullpen-cli-'));
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
    writeFileSync(join(platform.home, 'token'), 'secret\n');
    writeFileSync(join(platform.home, 'run.json'), JSON.stringify({ url: platform.url }));
    return platform;
  }

  /** One command line, in this process. */
  async cli(args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
    let stdout = '';
    let stderr = '';
    // Byte for byte: what is no text stays what it was.
    const textOf = (output: string | Uint8Array): string => (typeof output === 'string' ? output : Buffer.from(output).toString('latin1'));
    const host: CliHost = {
      environment: { BULLPEN_HOME: this.home },
      cwd: options.cwd ?? tmpdir(),
      checkout: tmpdir(),
      stdout: { isTTY: options.isTTY ?? false, columns: 80, write: (text) => (stdout += textOf(text)) },
      stderr: { write: (text) => (stderr += textOf(text)) },
      readStdin: () => Promise.resolve(options.stdin ?? ''),
      ...(options.ask ? { ask: options.ask } : {}),
      onInterrupt: (callback) => {
        options.onInterrupt?.(callback);
        return () => undefined;
      },
    };
    const code = await runCli(args, host);
    return { code, stdout, stderr };
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

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.home, { recursive: true, force: true });
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
    if (pathname.endsWith('/repositories')) return send(response, 200, { repositories: [REPOSITORY], stale: false });
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
    if (url.endsWith('archive')) return { changed: true, head: '0' };
    if (url.endsWith('/repositories')) return REPOSITORY;
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
