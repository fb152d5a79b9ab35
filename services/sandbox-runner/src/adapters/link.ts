import { createHash } from 'node:crypto';

import { RunnerHandshake } from '@bullpen/auth';
import type { OrchestratorMessage, Reason, RunnerMessage, RunnerSpec } from '@bullpen/contracts';
import {
  MAX_GREETING_BYTES,
  MAX_LINK_MESSAGE_BYTES,
  OBJECT_CHUNK_BYTES,
  orchestratorMessageSchema,
  RUNNER_LINK_PROTOCOL,
  RUNNER_RECONNECT_MS,
} from '@bullpen/contracts';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';

import { backoffMs } from '../core/backoff.js';
import type { RunnerLog } from './runner-log.js';
import type { Spool } from './spool.js';

/** Frames on their way that are not acknowledged. */
const WINDOW_FRAMES = 1_024;
const WINDOW_BYTES = 2 * 1024 * 1024;
const MAX_FRAMES_PER_MESSAGE = 256;
const MAX_FRAME_BYTES_PER_MESSAGE = MAX_LINK_MESSAGE_BYTES / 2;
const HANDSHAKE_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 10_000;
/** Objects that are known to be stored; a few are asked for again. */
const MAX_STORED_MEMORY = 1_000;

/** What the orchestrator tells a runner, beside what the link itself needs. */
export type Told = Exclude<OrchestratorMessage, { kind: 'challenge' | 'welcome' | 'acknowledged' | 'objectStored' }>;
type Heartbeat = Extract<RunnerMessage, { kind: 'heartbeat' }>;

export interface LinkOptions {
  readonly spec: Pick<RunnerSpec, 'linkUrl' | 'linkUrls' | 'token'>;
  readonly spool: Spool;
  readonly log: RunnerLog;
  readonly heartbeat: () => Omit<Heartbeat, 'kind'>;
  readonly onMessage: (message: Told) => void;
  /** No orchestrator for `reconnectMs`. */
  readonly onLost: () => void;
  /** How long an append took, seen from here. */
  readonly onAcknowledged: (elapsedMs: number) => void;
  readonly reconnectMs?: number;
}

interface Upload {
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly stored: () => void;
}

/**
 * The runner's end of the runner link. It reconnects by itself and then goes on where the orchestrator says; frames go up in
 * order from the spool, objects one at a time.
 */
export class RunnerLink {
  readonly #options: LinkOptions;
  readonly #uploads: Upload[] = [];
  readonly #stored = new Set<string>();
  #socket: WebSocket | null = null;
  #welcomed = false;
  #closed = false;
  #tries = 0;
  readonly #urls: readonly string[];
  #url = 0;
  #sentThrough = 0;
  #pumping = false;
  #pumpAgain = false;
  #sent: { through: number; bytes: number; atMs: number }[] = [];
  #lostTimer: NodeJS.Timeout | null = null;
  #retryTimer: NodeJS.Timeout | null = null;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#urls = [...new Set([options.spec.linkUrl, ...(options.spec.linkUrls ?? [])])];
    options.spool.onAppended = () => this.#pump();
  }

  connect(): void {
    this.#startLostTimer();
    this.#open();
  }

  /** Resolves once the orchestrator keeps the object, however often the link is cut. */
  upload(bytes: Uint8Array): Promise<string> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (this.#stored.has(sha256)) return Promise.resolve(sha256);
    return new Promise((resolve) => {
      this.#uploads.push({ sha256, bytes, stored: () => resolve(sha256) });
      if (this.#uploads.length === 1) this.#sendUpload();
    });
  }

  heartbeat(): void {
    this.#send({ kind: 'heartbeat', ...this.#options.heartbeat() });
  }

  /** Says why the workspace cannot be made ready, and resolves once that is sent, or after `timeoutMs`. */
  async fail(reason: Reason, timeoutMs: number): Promise<void> {
    const end = Date.now() + timeoutMs;
    while (!this.#welcomed && !this.#closed && Date.now() < end) await sleep(50);
    this.#send({ kind: 'failed', reason });
    while ((this.#socket?.bufferedAmount ?? 0) > 0 && Date.now() < end) await sleep(10);
  }

  close(): void {
    this.#closed = true;
    if (this.#lostTimer) clearTimeout(this.#lostTimer);
    if (this.#retryTimer) clearTimeout(this.#retryTimer);
    this.#socket?.close();
  }

  #open(): void {
    const { spec, log } = this.#options;
    const url = this.#urls[this.#url % this.#urls.length] ?? spec.linkUrl;
    const socket = new WebSocket(url, { maxPayload: MAX_LINK_MESSAGE_BYTES, handshakeTimeout: HANDSHAKE_TIMEOUT_MS });
    this.#socket = socket;
    const handshake = new RunnerHandshake(spec.token, url);
    socket.on('open', () => tell(socket, { kind: 'hello', protocol: RUNNER_LINK_PROTOCOL, ...handshake.hello }));
    socket.once('message', (data, isBinary) => this.#prove(socket, handshake, isBinary ? null : String(data)));
    socket.on('error', (error) => log.info('link failed', { error }));
    const watch = watchSocket(socket, () => this.#welcomed);
    socket.on('close', () => {
      clearInterval(watch);
      this.#disconnected(socket);
    });
  }

  #disconnected(socket: WebSocket): void {
    if (this.#socket !== socket || this.#closed) return;
    // The one that welcomed it may only restart; one that did not is not the session's owner, or is away.
    if (this.#welcomed) this.#startLostTimer();
    else this.#url += 1;
    this.#welcomed = false;
    this.#tries += 1;
    this.#retryTimer = setTimeout(() => this.#open(), backoffMs(this.#tries, Math.random()));
  }

  #startLostTimer(): void {
    if (this.#lostTimer) clearTimeout(this.#lostTimer);
    this.#lostTimer = setTimeout(() => this.#options.onLost(), this.#options.reconnectMs ?? RUNNER_RECONNECT_MS);
  }

  /** Until the other side has proved that it is the orchestrator, nothing is believed and nothing told: anybody may listen there. */
  #prove(socket: WebSocket, handshake: RunnerHandshake, text: string | null): void {
    const message = orchestratorMessageSchema.safeParse(text === null || text.length > MAX_GREETING_BYTES ? null : parseJson(text));
    const challenge = message.success && message.data.kind === 'challenge' ? message.data : null;
    const proof = challenge && handshake.answer(challenge);
    if (proof === null) {
      this.#options.log.error('who answers cannot prove to be the orchestrator; trying again', { code: 'link.impostor', url: socket.url });
      return socket.terminate();
    }
    socket.on('message', (data, isBinary) => this.#receive(socket, data, isBinary));
    tell(socket, { kind: 'proof', proof });
  }

  #receive(socket: WebSocket, data: RawData, isBinary: boolean): void {
    if (socket !== this.#socket) return;
    const parsed = isBinary ? null : orchestratorMessageSchema.safeParse(parseJson(String(data)));
    if (!parsed?.success) {
      this.#options.log.error('link message not understood', { bytes: String(data).length });
      return;
    }
    this.#handle(parsed.data);
  }

  #handle(message: OrchestratorMessage): void {
    switch (message.kind) {
      case 'welcome':
        return this.#welcome(message.appendedThrough);
      case 'acknowledged':
        return this.#acknowledged(message.through);
      case 'objectStored':
        return this.#objectStored(message.sha256);
      case 'challenge':
        return this.#options.log.error('the link was greeted already');
      case 'prompt':
      case 'cancel':
      case 'stop':
      case 'refused':
        return this.#options.onMessage(message);
    }
  }

  #welcome(appendedThrough: number): void {
    this.#welcomed = true;
    this.#tries = 0;
    if (this.#lostTimer) clearTimeout(this.#lostTimer);
    this.#sent = [];
    this.#sentThrough = appendedThrough;
    this.#acknowledge(appendedThrough);
    this.heartbeat();
    this.#sendUpload();
    this.#pump();
  }

  #acknowledged(through: number): void {
    const now = performance.now();
    while (this.#sent[0] && this.#sent[0].through <= through) {
      const batch = this.#sent.shift();
      if (batch) this.#options.onAcknowledged(now - batch.atMs);
    }
    this.#acknowledge(through);
    this.#pump();
  }

  #acknowledge(through: number): void {
    const { spool, log } = this.#options;
    if (through > spool.lastN) return log.error('acknowledged what was never sent', { through, lastN: spool.lastN });
    spool.acknowledge(through).catch((error: unknown) => log.error('spool not trimmed', { error }));
  }

  #pump(): void {
    this.#pumpAgain = true;
    if (!this.#pumping) void this.#pumpUntilQuiet();
  }

  async #pumpUntilQuiet(): Promise<void> {
    this.#pumping = true;
    while (this.#pumpAgain) {
      this.#pumpAgain = false;
      await this.#sendFrames().catch((error: unknown) => this.#options.log.error('spool not read', { error }));
    }
    this.#pumping = false;
  }

  async #sendFrames(): Promise<void> {
    const { spool } = this.#options;
    while (this.#welcomed && this.#hasRoom() && spool.lastN > this.#sentThrough) {
      const socket = this.#socket;
      const after = this.#sentThrough;
      const frames = await spool.readAfter(after, MAX_FRAMES_PER_MESSAGE, MAX_FRAME_BYTES_PER_MESSAGE);
      // Reconnected meanwhile: the orchestrator said anew where to go on.
      if (socket !== this.#socket || after !== this.#sentThrough) continue;
      const last = frames.at(-1);
      if (!last || !this.#welcomed) return;
      this.#sentThrough = last.n;
      this.#sent.push({ through: last.n, bytes: frames.reduce((sum, { bytes }) => sum + bytes, 0), atMs: performance.now() });
      socket?.send(`{"kind":"frames","frames":[${frames.map(({ json }) => json).join(',')}]}`);
    }
  }

  #hasRoom(): boolean {
    const bytes = this.#sent.reduce((sum, batch) => sum + batch.bytes, 0);
    return bytes < WINDOW_BYTES && this.#sentThrough - this.#options.spool.acknowledgedThrough < WINDOW_FRAMES;
  }

  #sendUpload(): void {
    const upload = this.#uploads[0];
    if (!upload || !this.#welcomed) return;
    this.#send({ kind: 'object', sha256: upload.sha256, bytes: upload.bytes.length });
    const socket = this.#socket;
    // A piece follows once the one before it has left. A cut ends this; the next welcome begins the object anew.
    const sendFrom = (at: number) => {
      if (socket !== this.#socket || at >= upload.bytes.length) return;
      socket?.send(upload.bytes.subarray(at, at + OBJECT_CHUNK_BYTES), (error) => error ?? sendFrom(at + OBJECT_CHUNK_BYTES));
    };
    sendFrom(0);
  }

  #objectStored(sha256: string): void {
    if (this.#uploads[0]?.sha256 !== sha256) return;
    if (this.#stored.size >= MAX_STORED_MEMORY) this.#stored.clear();
    this.#stored.add(sha256);
    this.#uploads.shift()?.stored();
    this.#sendUpload();
  }

  #send(message: RunnerMessage): void {
    if (this.#socket && this.#welcomed) tell(this.#socket, message);
  }
}

function tell(socket: WebSocket, message: RunnerMessage): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

/** Ends a connection whose peer went silent: no welcome in time, or no answer to a ping. */
function watchSocket(socket: WebSocket, isWelcomed: () => boolean): NodeJS.Timeout {
  let answered = true;
  socket.on('pong', () => (answered = true));
  return setInterval(() => {
    if (!answered || !isWelcomed()) return socket.terminate();
    answered = false;
    socket.ping();
  }, PING_INTERVAL_MS);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
