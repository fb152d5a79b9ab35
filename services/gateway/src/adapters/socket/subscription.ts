import { setTimeout as sleep } from 'node:timers/promises';

import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { SessionEvent } from '@bullpen/contracts';
import { Fault, describeError } from '@bullpen/errors';
import { isSessionDeleted } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { SESSION_MODEL, compareEventIds, snapshotOf } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';
import { BATCH_BYTES, EVENTS_PER_BATCH, MAX_GAP_EVENTS, MAX_SOCKET_BUFFER_BYTES } from '@bullpen/sync-protocol';
import type { SubscribeSuccess } from '@bullpen/sync-protocol';
import { secondsSince } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import { batchesOf } from '../../core/batches.js';
import { goLive, newSubscriber, noteRead, takeLive } from '../../core/subscriber.js';
import type { Subscriber, SubscriberStep } from '../../core/subscriber.js';
import { sessionNotFound } from '../log/event-pages.js';
import type { SessionFeeds } from '../log/session-feeds.js';
import { deliverySeconds, laggedSubscriptions } from '../metrics.js';
import type { SocketOutlet } from './socket-outlet.js';

/** While a subscriber reads the log it waits here for its socket, so that only a live one can lag. */
const READ_AHEAD_BYTES = 1024 * 1024;
const DRAIN_CHECK_MS = 10;
/** A socket that takes nothing for this long lags. */
const DRAIN_TIMEOUT_MS = 30_000;

export interface SubscriptionParts {
  readonly log: EventLog;
  readonly feeds: SessionFeeds;
  /** The complete fold, and its version. */
  readonly loadState: (sessionId: string) => Promise<{ readonly model: string; readonly state: SessionState }>;
  readonly outlet: SocketOutlet;
  readonly logger: Logger;
  /** Called once when the subscription ends by itself. */
  readonly onEnd: () => void;
}

export interface SubscriptionRequest {
  readonly sessionId: string;
  readonly after: string | undefined;
  readonly models: readonly string[];
}

/** What was found in the log when the subscription began. */
type Beginning =
  | { readonly kind: 'gap'; readonly events: readonly SessionEvent[] }
  | { readonly kind: 'snapshot'; readonly state: SessionState }
  | { readonly kind: 'events'; readonly from: string };

/**
 * One socket's subscription to one session: `open` finds out what to send and listens to the tail; `run` sends it and follows. No
 * event twice, none out of order, none left out, until it ends; the socket then hears why.
 */
export class Subscription {
  #subscriber: Subscriber;
  #leave: () => void = () => undefined;
  #beginning: Beginning = { kind: 'gap', events: [] };
  #throughSequence = 0;
  #ended = false;

  constructor(
    private readonly parts: SubscriptionParts,
    private readonly request: SubscriptionRequest,
  ) {
    this.#subscriber = newSubscriber(request.after ?? BEFORE_ALL_EVENTS);
  }

  /** @throws Rejection `session.not-found`, `event.unknown`; Fault when the log or the session service cannot be reached */
  async open(): Promise<SubscribeSuccess> {
    const { feeds, log } = this.parts;
    try {
      this.#leave = await feeds.listen(this.request.sessionId, (events) => this.#step(takeLive(this.#subscriber, events)));
      const head = await feeds.head(this.request.sessionId);
      if (head.id === BEFORE_ALL_EVENTS || (await isSessionDeleted(log, this.request.sessionId))) {
        throw sessionNotFound(this.request.sessionId);
      }
      this.#throughSequence = head.sequence;
      this.#beginning = await this.#findBeginning();
      if (this.#ended)
        throw new Fault(
          'sync.superseded',
          'This subscription was ended before it began: by another one, or with its connection.',
        );
      return { head: head.id, epoch: log.epoch };
    } catch (error) {
      this.end();
      // What ended it may have come before there was anything to leave.
      this.#leave();
      this.parts.onEnd();
      throw error;
    }
  }

  /** Never rejects: what goes wrong is told to the socket. */
  async run(): Promise<void> {
    try {
      await this.#sendBeginning();
      this.#step(goLive(this.#subscriber));
    } catch (error) {
      this.parts.logger.warn('subscription broke off', { sessionId: this.request.sessionId, error });
      if (!this.#ended) this.#endWith({ ...describeError(error) });
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave();
  }

  async #findBeginning(): Promise<Beginning> {
    const { after, models } = this.request;
    if (!models.includes(SESSION_MODEL)) {
      const from = after ?? BEFORE_ALL_EVENTS;
      await this.#requireKnown(from);
      return { kind: 'events', from };
    }
    if (after === undefined) return this.#snapshot();
    const events: SessionEvent[] = [];
    for await (const event of this.#read(after)) {
      if (events.length === MAX_GAP_EVENTS) return this.#snapshot();
      events.push(event);
    }
    return { kind: 'gap', events };
  }

  /** The first step of a read says so; what is sent is read again, as the socket takes it. */
  async #requireKnown(after: string): Promise<void> {
    if (after === BEFORE_ALL_EVENTS) return;
    const events = this.#read(after)[Symbol.asyncIterator]();
    await events.next();
    await events.return?.();
  }

  async #snapshot(): Promise<Beginning> {
    const { model, state } = await this.parts.loadState(this.request.sessionId);
    const from = this.request.after ?? BEFORE_ALL_EVENTS;
    return this.request.models.includes(model) ? { kind: 'snapshot', state } : { kind: 'events', from };
  }

  async #sendBeginning(): Promise<void> {
    const beginning = this.#beginning;
    // Events are let go as soon as they are on their way.
    this.#beginning = { kind: 'gap', events: [] };
    switch (beginning.kind) {
      case 'gap':
        return this.#sendRead(beginning.events);
      case 'snapshot':
        return this.#sendSnapshot(beginning.state);
      case 'events':
        return this.#sendLog(beginning.from);
    }
  }

  async #sendSnapshot(complete: SessionState): Promise<void> {
    const { sessionId } = this.request;
    const tail: SessionEvent[] = [];
    let size = 0;
    for await (const event of this.#read(complete.head)) {
      tail.push(event);
      size += JSON.stringify(event).length;
      if (tail.length >= EVENTS_PER_BATCH || size >= BATCH_BYTES) break;
    }
    const state = snapshotOf(complete);
    const snapshot = { sessionId, epoch: this.parts.log.epoch, model: SESSION_MODEL, upTo: complete.head, state, tail };
    if (this.#ended) return;
    this.parts.outlet.emit(size + JSON.stringify(state).length, 'session.snapshot', snapshot);
    const sent = tail.at(-1)?.id ?? complete.head;
    this.#subscriber = noteRead(this.#subscriber, sent);
    await this.#sendLog(sent);
  }

  async #sendLog(from: string): Promise<void> {
    let batch: SessionEvent[] = [];
    for await (const event of this.#read(from)) {
      if (this.#ended) return;
      batch.push(event);
      if (batch.length < EVENTS_PER_BATCH) continue;
      await this.#sendRead(batch);
      batch = [];
    }
    await this.#sendRead(batch);
  }

  async #sendRead(events: readonly SessionEvent[]): Promise<void> {
    for (const batch of batchesOf(events)) {
      await this.#drained();
      if (this.#ended) return;
      this.#emit(batch.events, batch.size);
      this.#subscriber = noteRead(this.#subscriber, batch.events.at(-1)?.id ?? BEFORE_ALL_EVENTS);
    }
  }

  #read(after: string): AsyncIterable<SessionEvent> {
    return readThrough(this.parts.log, { sessionId: this.request.sessionId, after, throughSequence: this.#throughSequence });
  }

  async #drained(): Promise<void> {
    const { outlet } = this.parts;
    for (let waited = 0; outlet.unsentBytes > READ_AHEAD_BYTES && !this.#ended; waited += DRAIN_CHECK_MS) {
      if (waited >= DRAIN_TIMEOUT_MS) return this.#lag();
      await sleep(DRAIN_CHECK_MS);
    }
  }

  #step({ subscriber, send }: SubscriberStep): void {
    if (this.#ended) return;
    this.#subscriber = subscriber;
    if (subscriber.phase === 'lagging') return this.#lag();
    for (const batch of batchesOf(send)) {
      if (this.parts.outlet.unsentBytes > MAX_SOCKET_BUFFER_BYTES) return this.#lag();
      this.#emit(batch.events, batch.size);
      deliverySeconds.record(secondsSince(batch.events[0]?.at ?? ''), {});
    }
  }

  #emit(events: readonly SessionEvent[], size: number): void {
    this.parts.outlet.emit(size, 'session.events', { sessionId: this.request.sessionId, events });
    if (!this.#ended && events.some(isEndOfSession)) this.#endWith(sessionNotFound(this.request.sessionId));
  }

  #lag(): void {
    laggedSubscriptions.add({});
    const { sessionId } = this.request;
    const message = `This connection takes session ${sessionId} too slowly. Subscribe again with the last event it has.`;
    this.#endWith({ code: 'sync.lagging', message, details: {} });
  }

  #endWith({ code, message, details }: ReturnType<typeof describeError>): void {
    this.end();
    this.parts.onEnd();
    const about = { ...details, sessionId: this.request.sessionId };
    this.parts.outlet.emit(message.length, 'error', { code, message, details: about });
  }
}

function isEndOfSession({ type }: SessionEvent): boolean {
  return type === 'SessionDeleted' || type === 'LaneClosed';
}

interface Range {
  readonly sessionId: string;
  readonly after: string;
  readonly throughSequence: number;
}

/** A position that a snapshot has beyond the head leaves nothing to read. */
async function* readThrough(log: EventLog, { sessionId, ...range }: Range): AsyncIterable<SessionEvent> {
  let last = range.after;
  for await (const event of log.readSession(sessionId, range)) {
    if (compareEventIds(event.id, last) <= 0) continue;
    last = event.id;
    yield event;
  }
}
