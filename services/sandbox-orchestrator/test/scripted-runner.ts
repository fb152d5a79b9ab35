import WebSocket from 'ws';

import { RunnerHandshake } from '@bullpen/auth';
import type { LinkHello } from '@bullpen/auth';
import { RUNNER_LINK_PROTOCOL, orchestratorMessageSchema } from '@bullpen/contracts';
import type { OrchestratorMessage, RunnerFrame, RunnerStage } from '@bullpen/contracts';
import type { SandboxSpec } from '@bullpen/sandbox-driver';

const POLL_MS = 5;
const WAIT_MS = 10_000;
const RECONNECT_MS = 200;
const RECONNECTING_MS = 40_000;

/** A runner whose every word is the test's; keeps its unacknowledged frames as the real one does. */
export class ScriptedRunner {
  readonly received: OrchestratorMessage[] = [];
  #socket: WebSocket | null = null;
  #spool: RunnerFrame[] = [];
  #n = 0;
  stage: RunnerStage = 'restoring';
  closeCode: number | null = null;

  constructor(
    readonly spec: SandboxSpec,
    readonly overrides: { readonly token?: string; readonly hello?: Partial<LinkHello> } = {},
  ) {}

  get sandboxId(): string {
    return `${this.spec.sessionId}-${this.spec.generation}`;
  }

  async connect(): Promise<void> {
    const { linkUrl, token } = this.spec.runner;
    const socket = new WebSocket(linkUrl);
    const handshake = new RunnerHandshake(this.overrides.token ?? token, linkUrl);
    this.#socket = socket;
    this.closeCode = null;
    socket.on('message', (data) => this.#take(orchestratorMessageSchema.parse(JSON.parse(String(data))), handshake));
    socket.on('close', (code) => (this.closeCode = code));
    socket.on('error', () => undefined);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    this.raw({ kind: 'hello', protocol: RUNNER_LINK_PROTOCOL, ...handshake.hello, ...this.overrides.hello });
  }

  /** Greets and waits for the welcome, then resends what is not acknowledged. */
  async join(): Promise<void> {
    const before = this.count('welcome');
    await this.connect();
    await this.until(() => this.count('welcome') > before);
    this.#flush();
    this.report(this.stage);
  }

  raw(message: unknown): void {
    this.#socket?.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  bytes(chunk: Uint8Array): void {
    this.#socket?.send(chunk);
  }

  report(stage: RunnerStage): void {
    this.stage = stage;
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.raw({ kind: 'heartbeat', stage, since: new Date().toISOString(), turn: null });
    }
  }

  /** Spools a frame and sends it when a link is there. */
  frame(type: string, data: Record<string, unknown>, turnId?: string): number {
    this.#n += 1;
    const frame = { n: this.#n, type, data, ...(turnId === undefined ? {} : { turnId }) };
    this.#spool.push(frame);
    if (this.#socket?.readyState === WebSocket.OPEN) this.raw({ kind: 'frames', frames: [frame] });
    return this.#n;
  }

  async acknowledged(n: number): Promise<void> {
    await this.until(() => this.#spool.every((frame) => frame.n > n));
  }

  /** As `acknowledged`, for links that may close meanwhile. */
  async acknowledgedWithReconnects(n: number): Promise<void> {
    for (const end = Date.now() + RECONNECTING_MS; this.#spool.some((frame) => frame.n <= n); ) {
      if (Date.now() > end) throw new Error(`frames up to ${n} were not taken`);
      if (this.closeCode !== null) await this.connect();
      const welcomes = this.count('welcome');
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
      if (this.count('welcome') > welcomes) this.#flush();
    }
  }

  async next<K extends OrchestratorMessage['kind']>(kind: K, nth = 1): Promise<Extract<OrchestratorMessage, { kind: K }>> {
    await this.until(() => this.count(kind) >= nth);
    return this.received.filter((message) => message.kind === kind)[nth - 1] as Extract<OrchestratorMessage, { kind: K }>;
  }

  count(kind: OrchestratorMessage['kind']): number {
    return this.received.filter((message) => message.kind === kind).length;
  }

  async until(condition: () => boolean): Promise<void> {
    for (const end = Date.now() + WAIT_MS; !condition(); ) {
      if (Date.now() > end) throw new Error(`runner waited in vain: ${condition.toString()}; received ${JSON.stringify(this.received)}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  cut(): void {
    this.#socket?.terminate();
    this.#socket = null;
  }

  #flush(): void {
    if (this.#spool.length > 0) this.raw({ kind: 'frames', frames: this.#spool });
  }

  #take(message: OrchestratorMessage, handshake: RunnerHandshake): void {
    this.received.push(message);
    // Who cannot make the proof sends the other one's back.
    if (message.kind === 'challenge') this.raw({ kind: 'proof', proof: handshake.answer(message) ?? message.proof });
    const through = message.kind === 'welcome' ? message.appendedThrough : message.kind === 'acknowledged' ? message.through : 0;
    this.#spool = this.#spool.filter(({ n }) => n > through);
  }
}
