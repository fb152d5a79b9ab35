import { Inject, Injectable } from '@nestjs/common';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import type { OnGatewayConnection, OnGatewayDisconnect } from '@nestjs/websockets';
import { z } from 'zod';

import { SESSION_STATUSES, isEntityId } from '@bullpen/contracts';
import { Fault, Rejection, describeError } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';
import { compareEventIds } from '@bullpen/session-model';
import { HEAD_INTERVAL_MS, MAX_SOCKET_BUFFER_BYTES } from '@bullpen/sync-protocol';
import type { Acknowledgement, SubscribeSuccess, WatchSuccess } from '@bullpen/sync-protocol';
import type { Logger } from '@bullpen/telemetry';

import { sessionNotFound } from '../log/event-pages.js';
import type { SessionFeeds } from '../log/session-feeds.js';
import { connectedSockets, laggingSockets, liveSubscriptions, problems } from '../metrics.js';
import type { SessionReader } from '../rpc/session-reader.js';
import type { ListWatches } from './list-watches.js';
import { SocketOutlet } from './socket-outlet.js';
import type { SyncSocket } from './socket-outlet.js';
import { Subscription } from './subscription.js';

export const MAX_SUBSCRIPTIONS_PER_SOCKET = 64;

const subscribeSchema = z.object({
  sessionId: z.string().max(64),
  after: z.string().max(20).optional(),
  models: z.array(z.string().max(64)).max(16).optional(),
});
const unsubscribeSchema = z.object({ sessionId: z.string().max(64) });
const watchSchema = z.object({
  filter: z
    .object({
      q: z.string().max(1_000).optional(),
      repository: z.string().max(64).optional(),
      status: z.enum(SESSION_STATUSES).optional(),
    })
    .optional(),
});

/** What the gateway reads from, for its module to bring together. */
export interface SyncParts {
  readonly log: EventLog;
  readonly feeds: SessionFeeds;
  readonly lists: ListWatches;
  readonly sessions: SessionReader;
  readonly logger: Logger;
}

export const SYNC_PARTS = Symbol('SyncParts');

interface Connection {
  readonly outlet: SocketOutlet;
  readonly subscriptions: Map<string, Subscription>;
}

/** Real-time reading of sessions and of their list. Subscribing again to a session takes the place of the subscription before. */
@Injectable()
@WebSocketGateway()
export class SyncGateway implements OnGatewayConnection, OnGatewayDisconnect {
  readonly #connections = new Map<string, Connection>();
  #headTimer: NodeJS.Timeout | null = null;
  #announcing = false;
  #measurements: readonly (() => void)[] = [];

  constructor(@Inject(SYNC_PARTS) private readonly parts: SyncParts) {}

  onModuleInit(): void {
    this.#headTimer = setInterval(() => void this.#announceHeads(), HEAD_INTERVAL_MS);
    const connections = this.#connections;
    this.#measurements = [
      connectedSockets.follow(() => connections.size),
      liveSubscriptions.follow(() => [...connections.values()].reduce((sum, { subscriptions }) => sum + subscriptions.size, 0)),
      laggingSockets.follow(() => [...connections.values()].filter(({ outlet }) => outlet.unsentBytes > MAX_SOCKET_BUFFER_BYTES).length),
    ];
  }

  onModuleDestroy(): void {
    if (this.#headTimer !== null) clearInterval(this.#headTimer);
    for (const socketId of this.#connections.keys()) this.#drop(socketId);
    for (const end of this.#measurements) end();
  }

  handleConnection(socket: SyncSocket): void {
    this.#connections.set(socket.id, { outlet: new SocketOutlet(socket), subscriptions: new Map() });
  }

  handleDisconnect(socket: SyncSocket): void {
    this.#drop(socket.id);
  }

  @SubscribeMessage('session.subscribe')
  subscribe(@ConnectedSocket() socket: SyncSocket, @MessageBody() body: unknown): Promise<Acknowledgement<SubscribeSuccess>> {
    return this.#answer(async () => {
      const { sessionId, after, models = [] } = parse(subscribeSchema, body);
      if (!isEntityId(sessionId)) throw sessionNotFound(sessionId);
      const subscription = await this.#begin(socket, { sessionId, after, models });
      const success = await subscription.open();
      void subscription.run();
      return success;
    });
  }

  @SubscribeMessage('session.unsubscribe')
  unsubscribe(@ConnectedSocket() socket: SyncSocket, @MessageBody() body: unknown): Promise<Acknowledgement<object>> {
    return this.#answer(async () => {
      const { sessionId } = parse(unsubscribeSchema, body);
      this.#end(socket.id, sessionId);
      return {};
    });
  }

  @SubscribeMessage('sessions.watch')
  watch(@ConnectedSocket() socket: SyncSocket, @MessageBody() body: unknown): Promise<Acknowledgement<WatchSuccess>> {
    return this.#answer(async () => {
      const { filter = {} } = parse(watchSchema, body);
      return this.parts.lists.add(socket.id, filter, this.#connection(socket.id).outlet);
    });
  }

  async #begin(socket: SyncSocket, request: ConstructorParameters<typeof Subscription>[1]): Promise<Subscription> {
    const { sessionId } = request;
    const { outlet, subscriptions } = this.#connection(socket.id);
    this.#end(socket.id, sessionId);
    if (subscriptions.size >= MAX_SUBSCRIPTIONS_PER_SOCKET) {
      const message = `A connection holds at most ${MAX_SUBSCRIPTIONS_PER_SOCKET} subscriptions. Unsubscribe from one first.`;
      throw new Rejection('sync.too-many', message, { limit: MAX_SUBSCRIPTIONS_PER_SOCKET });
    }
    const onEnd = (): void => {
      if (subscriptions.get(sessionId) === subscription) subscriptions.delete(sessionId);
    };
    const { log, feeds, sessions, logger } = this.parts;
    const loadState = (id: string) => sessions.load(id);
    const subscription = new Subscription({ log, feeds, loadState, outlet, logger, onEnd }, request);
    subscriptions.set(sessionId, subscription);
    return subscription;
  }

  #connection(socketId: string): Connection {
    const connection = this.#connections.get(socketId);
    if (connection === undefined) throw new Fault('sync.disconnected', 'The connection is closed. Connect again.');
    return connection;
  }

  async #answer<Success extends object>(work: () => Promise<Success>): Promise<Acknowledgement<Success>> {
    try {
      return { ok: true, ...(await work()) };
    } catch (error) {
      if (!(error instanceof Rejection)) this.parts.logger.warn('a subscription failed', { error });
      const { code, message, details } = describeError(error);
      problems.add({ via: 'socket', code });
      const retry = error instanceof Fault ? { retryAfterMs: error.retryAfterMs } : {};
      return { ok: false, code, message, details: { ...details, ...retry } };
    }
  }

  #end(socketId: string, sessionId: string): void {
    const subscriptions = this.#connections.get(socketId)?.subscriptions;
    subscriptions?.get(sessionId)?.end();
    subscriptions?.delete(sessionId);
  }

  #drop(socketId: string): void {
    const connection = this.#connections.get(socketId);
    this.#connections.delete(socketId);
    this.parts.lists.remove(socketId);
    for (const subscription of connection?.subscriptions.values() ?? []) subscription.end();
  }

  async #announceHeads(): Promise<void> {
    if (this.#announcing) return;
    this.#announcing = true;
    try {
      await Promise.all(this.parts.feeds.watched().map((sessionId) => this.#announceHead(sessionId)));
    } catch (error) {
      this.parts.logger.warn('heads could not be announced', { error });
    } finally {
      this.#announcing = false;
    }
  }

  async #announceHead(sessionId: string): Promise<void> {
    const head = await this.#currentHead(sessionId);
    for (const { outlet, subscriptions } of this.#connections.values()) {
      if (subscriptions.has(sessionId)) outlet.emit(head.length, 'session.head', { sessionId, head });
    }
  }

  /** An event may overtake the question; only a head that is below what was sent twice over is really below. */
  async #currentHead(sessionId: string): Promise<string> {
    const { id } = await this.parts.feeds.head(sessionId);
    const sent = this.parts.feeds.lastSent(sessionId);
    if (sent === null || compareEventIds(id, sent) >= 0) return id;
    return (await this.parts.feeds.head(sessionId)).id;
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new Rejection('request.invalid', `The message is not as the protocol says: ${z.prettifyError(result.error)}`);
}
