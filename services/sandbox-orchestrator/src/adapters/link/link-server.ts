import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import { OrchestratorHandshake } from '@bullpen/auth';
import { MAX_GREETING_BYTES, MAX_LINK_MESSAGE_BYTES, RUNNER_LINK_PATH, runnerMessageSchema } from '@bullpen/contracts';
import type { OrchestratorMessage, Reason, RunnerMessage } from '@bullpen/contracts';
import { Fault, Rejection, describeError } from '@bullpen/errors';
import type { ObjectStore } from '@bullpen/event-log';
import type { Logger } from '@bullpen/telemetry';

import { liveGeneration } from '../../core/sandbox.state.js';
import { firstTokenMeasure, runnerLinks } from '../metrics.js';
import type { FrameLanes, LaneHolder } from '../nats/frame-lanes.js';
import type { SessionStates } from '../nats/session-states.js';
import { UploadBudget } from './object-upload.js';
import { CLOSE, RunnerLink, parseJson } from './runner-link.js';
import type { RunnerViews } from './runner-views.js';

/** Until a runner has proved which one it is; whoever was refused before that is gone by then too. */
const GREETING_DEADLINE_MS = 5_000;
/** Connections without a link; a welcomed runner has one link. */
export const MAX_UNWELCOMED = 500;
/** For the rest of what an ended runner sent. */
const LAST_WORDS_MS = 2_000;
const NOT_OWNER = 'another replica serves this session';
/** For appends of a link that was closed. */
const SETTLE_TIMEOUT_MS = 10_000;

export interface LinkServerParts {
  readonly port: number;
  /** Where sandboxes reach the port; null: on this machine. */
  readonly address: string | null;
  readonly tokenKey: string;
  readonly states: SessionStates;
  readonly views: RunnerViews;
  readonly lanes: FrameLanes;
  readonly objects: ObjectStore;
  readonly logger: Logger;
  /** Whether this replica serves the session now; runners of others are sent on. */
  readonly owns: (sessionId: string) => boolean;
  readonly onChange: (sessionId: string) => void;
}

interface LinkEntry {
  readonly sessionId: string;
  readonly link: RunnerLink;
  readonly socket: WebSocket;
}

/** Where runners dial in. One link per sandbox: a newer one replaces the older. */
export class LinkServer {
  readonly #links = new Map<string, LinkEntry>();
  /** Whose end is being judged: none of them is let in. */
  readonly #barred = new Set<string>();
  /** With what ends each in time; who came first, first. */
  readonly #unwelcomed = new Map<Socket, NodeJS.Timeout>();
  readonly #budget = new UploadBudget();
  readonly #http: Server;
  readonly #sockets: WebSocketServer;
  readonly #measurement = runnerLinks.follow(() => this.#links.size);

  private constructor(private readonly parts: LinkServerParts) {
    this.#http = createServer((_request, response) => response.writeHead(404).end());
    this.#sockets = new WebSocketServer({ server: this.#http, path: RUNNER_LINK_PATH, maxPayload: MAX_LINK_MESSAGE_BYTES, perMessageDeflate: false });
    this.#http.on('connection', (connection) => this.#arrive(connection));
    this.#sockets.on('connection', (socket, { socket: connection }) => this.#accept(socket, connection));
  }

  /** @throws Fault `link.not-listening` */
  static async listen(parts: LinkServerParts): Promise<LinkServer> {
    const server = new LinkServer(parts);
    await new Promise<void>((resolve, reject) => {
      const fault = (cause: Error) =>
        reject(new Fault('link.not-listening', `Cannot listen on 127.0.0.1:${parts.port} for runners. Is the port taken?`, { cause }));
      server.#sockets.once('error', fault);
      server.#http.listen(parts.port, '127.0.0.1', () => {
        server.#sockets.off('error', fault);
        server.#sockets.on('error', (error) => parts.logger.warn('runner link server failed', { error }));
        resolve();
      });
    });
    return server;
  }

  get port(): number {
    const address = this.#http.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** As runners dial it. It names this replica in the proofs of both ends. */
  get url(): string {
    return `${this.parts.address ?? `ws://127.0.0.1:${this.port}`}${RUNNER_LINK_PATH}`;
  }

  /** False when no link is there. */
  send(sandboxId: string, message: OrchestratorMessage): boolean {
    const entry = this.#links.get(sandboxId);
    entry?.link.send(message);
    return entry !== undefined;
  }

  /** Reads what an ended runner still said, then forgets the link. */
  async lastWords(sandboxId: string): Promise<void> {
    const entry = this.#links.get(sandboxId);
    if (!entry) return;
    await Promise.race([closed(entry.socket), pause(LAST_WORDS_MS)]);
    await this.end(sandboxId);
  }

  /** Cuts the link; resolves once what it had sent is in the log or has failed. */
  async end(sandboxId: string): Promise<void> {
    const entry = this.#links.get(sandboxId);
    if (!entry) return;
    this.#forget(sandboxId, entry.link);
    await Promise.race([entry.link.settled(), pause(SETTLE_TIMEOUT_MS)]);
    entry.link.close(CLOSE.normal, 'ended');
    entry.socket.terminate();
  }

  /**
   * Cuts the link, and lets none in while `work` runs: what the log holds of the sandbox's frames stays as `work` finds it. A runner
   * that dials in meanwhile is told to try again.
   */
  async endDuring(sandboxId: string, work: () => Promise<void>): Promise<void> {
    this.#barred.add(sandboxId);
    try {
      await this.end(sandboxId);
      await work();
    } finally {
      this.#barred.delete(sandboxId);
    }
  }

  /** Another replica serves these sessions from now on: their runners look for it. What was not acknowledged, they send it. */
  leave(isLeft: (sessionId: string) => boolean): void {
    for (const [sandboxId, { sessionId, link }] of this.#links) {
      if (!isLeft(sessionId)) continue;
      this.#forget(sandboxId, link);
      link.close(CLOSE.tryLater, NOT_OWNER);
    }
  }

  /** Runners keep running and connect to the next process. */
  async close(): Promise<void> {
    this.#measurement();
    await Promise.all([...this.#links.keys()].map((sandboxId) => this.end(sandboxId)));
    for (const socket of this.#sockets.clients) socket.terminate();
    for (const connection of this.#unwelcomed.keys()) connection.destroy();
    this.#sockets.close();
    await new Promise<void>((resolve) => this.#http.close(() => resolve()));
  }

  /** Anybody on this machine may connect: for lack of room, who has waited longest goes. A runner is welcomed long before. */
  #arrive(connection: Socket): void {
    const [longest] = this.#unwelcomed.keys();
    if (longest && this.#unwelcomed.size >= MAX_UNWELCOMED) {
      this.#settle(longest);
      longest.destroy();
    }
    this.#unwelcomed.set(connection, setTimeout(() => connection.destroy(), GREETING_DEADLINE_MS));
    connection.once('close', () => this.#settle(connection));
  }

  #settle(connection: Socket): void {
    clearTimeout(this.#unwelcomed.get(connection));
    this.#unwelcomed.delete(connection);
  }

  #accept(socket: WebSocket, connection: Socket): void {
    socket.on('error', () => undefined);
    this.#expect(socket, 'hello', (hello) => {
      const handshake = new OrchestratorHandshake(hello, { tokenKey: this.parts.tokenKey, linkUrl: this.url });
      this.#expect(socket, 'proof', ({ proof }) => {
        const holder = handshake.verify(proof, Date.now());
        clearTimeout(this.#unwelcomed.get(connection));
        this.#admit(socket, connection, holder);
      });
      tell(socket, { kind: 'challenge', ...handshake.challenge });
    });
  }

  /** The one message that may come next. What else comes, or what `take` refuses, is turned away. */
  #expect<Kind extends GreetingKind>(socket: WebSocket, kind: Kind, take: (message: Greeting<Kind>) => void): void {
    socket.once('message', (data: Buffer, isBinary) => {
      try {
        take(parseGreeting(kind, data, isBinary));
      } catch (error) {
        this.#turnAway(socket, error);
      }
    });
  }

  #admit(socket: WebSocket, connection: Socket, holder: LaneHolder): void {
    const early = () => this.#turnAway(socket, new Rejection('link.message-invalid', 'After proof, wait for welcome.'));
    socket.on('message', early);
    this.#greet(socket, connection, holder)
      .catch((error: unknown) => this.#turnAway(socket, error))
      .finally(() => socket.off('message', early));
  }

  async #greet(socket: WebSocket, connection: Socket, holder: LaneHolder): Promise<void> {
    this.#requireCurrent(holder);
    const { sandboxId } = holder;
    // It lives, also while the log is away and no welcome can be given.
    this.parts.views.heard(sandboxId);
    await this.end(sandboxId);
    const lane = await this.parts.lanes.open(holder);
    // Meanwhile the sandbox may have ended, or connected once more.
    while (this.#links.has(sandboxId)) await this.end(sandboxId);
    this.#requireCurrent(holder);
    if (socket.readyState !== socket.OPEN) return;
    const link = this.#link(socket, holder, lane);
    this.#links.set(sandboxId, { sessionId: holder.sessionId, link, socket });
    socket.on('message', (message: Buffer, binary) => link.receive(message, binary));
    socket.once('close', () => this.#dropped(holder, link));
    this.#settle(connection);
    this.parts.views.connected(sandboxId);
    this.parts.logger.info('runner connected', { sandboxId, appendedThrough: lane.appendedThrough });
    link.send({ kind: 'welcome', appendedThrough: lane.appendedThrough });
    this.parts.onChange(holder.sessionId);
  }

  #link(socket: WebSocket, holder: LaneHolder, lane: Awaited<ReturnType<FrameLanes['open']>>): RunnerLink {
    const { states, objects, views, lanes, logger, onChange } = this.parts;
    const { sessionId, sandboxId } = holder;
    return new RunnerLink({
      socket,
      source: {
        ...holder,
        isTurn: (turnId) => states.get(sessionId)?.turnIds.includes(turnId) ?? false,
        traceOf: (turnId) => {
          const turn = states.get(sessionId)?.turn;
          return turn?.turnId === turnId ? (turn.traceparent ?? null) : null;
        },
      },
      lane,
      objects,
      budget: this.#budget,
      views,
      logger,
      stopReason: () => (states.get(sessionId)?.turn?.cancelRequested ? null : (views.of(sandboxId).stopping?.reason ?? null)),
      measure: firstTokenMeasure(() => states.get(sessionId)),
      onChange: () => onChange(sessionId),
      onLaneFailure: () => lanes.drop(sandboxId),
    });
  }

  /** @throws Rejection `generation.superseded`; Fault `link.ending` while its end is being judged */
  #requireCurrent({ sessionId, sandboxId }: LaneHolder): void {
    if (this.#barred.has(sandboxId)) throw new Fault('link.ending', `The end of sandbox ${sandboxId} is being recorded. Connect again.`);
    if (!this.parts.owns(sessionId)) throw new Fault('link.not-owner', `Another replica serves session ${sessionId}. The runner looks for it.`);
    const session = this.parts.states.get(sessionId);
    const isCurrent = session !== undefined && liveGeneration(session)?.sandboxId === sandboxId && session.fence?.sandboxId === sandboxId;
    if (!isCurrent) throw new Rejection('generation.superseded', `The sandbox ${sandboxId} is not the session's current one.`, { sandboxId });
  }

  #turnAway(socket: WebSocket, error: unknown): void {
    if (!(error instanceof Rejection)) {
      if (isNotOwner(error)) this.parts.logger.debug('runner sent on', { error });
      else this.parts.logger.warn('runner cannot be welcomed', { error });
      socket.close(CLOSE.tryLater, 'try again');
      return;
    }
    const { code, message } = describeError(error);
    this.parts.logger.warn('runner refused', { code, details: error.details });
    const reason: Reason = { code, message };
    tell(socket, { kind: 'refused', reason });
    socket.close(CLOSE.refused, code);
  }

  #dropped({ sandboxId, sessionId }: LaneHolder, link: RunnerLink): void {
    link
      .settled()
      .catch(() => undefined)
      .finally(() => {
        this.#forget(sandboxId, link);
        link.close(CLOSE.normal, 'closed');
        this.parts.onChange(sessionId);
      });
  }

  #forget(sandboxId: string, link: RunnerLink): void {
    if (this.#links.get(sandboxId)?.link !== link) return;
    this.#links.delete(sandboxId);
    this.parts.views.disconnected(sandboxId);
  }
}

type GreetingKind = 'hello' | 'proof';
type Greeting<Kind extends GreetingKind> = Extract<RunnerMessage, { kind: Kind }>;

/** @throws Rejection `link.message-invalid` */
function parseGreeting<Kind extends GreetingKind>(kind: Kind, data: Buffer, isBinary: boolean): Greeting<Kind> {
  const message = runnerMessageSchema.safeParse(isBinary || data.byteLength > MAX_GREETING_BYTES ? null : parseJson(data));
  if (message.success && message.data.kind === kind) return message.data as Greeting<Kind>;
  throw new Rejection('link.message-invalid', `The runner's greeting is hello, then proof; here ${kind} must come.`);
}

function tell(socket: WebSocket, message: OrchestratorMessage): void {
  if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
}

function isNotOwner(error: unknown): boolean {
  return error instanceof Fault && error.code === 'link.not-owner';
}

function closed(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
