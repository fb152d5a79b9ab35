import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { deferred } from '@nats-io/transport-node';
import type { Deferred } from '@nats-io/transport-node';

import { Bug, Fault } from '@bullpen/errors';
import type { Logger } from '@bullpen/telemetry';

import { backoff } from './connection.js';
import type { LogConnection } from './connection.js';
import type { LogMessage, Tail, TailOptions } from './event-log.js';
import { lastMessage } from './leader.js';
import { decodeMessage } from './messages.js';
import { EVENT_STREAM } from './server-config.js';
import { SUBJECT_ROOT, tailSubjects } from './subjects.js';

/** With these a killed server costs 0.7 s; with the client's own, 44 s. */
const IDLE_HEARTBEAT_MS = 500;
const PULL_EXPIRES_MS = 2_000;
/** Messages that wait in memory for the handler, of up to 512 KB each. More would not make catching up faster. */
const MAX_WAITING_MESSAGES = 64;
/** The server forgets a consumer whose reader is gone. */
const CONSUMER_INACTIVE_MS = 60_000;
/** A consumer that delivers nothing for this long although the log has more is replaced. */
const STALL_CHECK_MS = 5_000;

type Handler = (message: LogMessage) => void | Promise<void>;

interface Waiter {
  readonly sequence: number;
  readonly arrival: Deferred<void>;
}

/** An ordered consumer that is replaced, from the position on, whenever it ends for whatever reason. */
export class LogTail implements Tail {
  /** Resolves once the handler is done with its last message; never rejects. */
  readonly finished: Promise<void>;
  #position: number;
  #handling = false;
  #messages: ConsumerMessages | null = null;
  readonly #waiters = new Set<Waiter>();
  readonly #subjects: string | undefined;
  readonly #stopping = new AbortController();
  readonly #stallCheck: NodeJS.Timeout;
  #positionAtCheck = -1;

  private constructor(
    private readonly connection: LogConnection,
    private readonly options: TailOptions & { readonly logger: Logger },
    private readonly onMessage: Handler,
    first: Consumer,
  ) {
    this.#position = Math.max(options.fromSequence, 1) - 1;
    this.#subjects = tailSubjects(options.filter);
    this.finished = this.#run(first);
    this.#stallCheck = setInterval(() => void this.#replaceWhenStalled(), STALL_CHECK_MS);
    this.#stallCheck.unref();
  }

  /** Resolves once the server has the consumer. @throws Fault `log.unavailable` */
  static async start(
    connection: LogConnection,
    options: TailOptions & { readonly logger: Logger },
    onMessage: Handler,
  ): Promise<LogTail> {
    const from = Math.max(options.fromSequence, 1);
    const first = await connection.retry('follow it', () => openConsumer(connection, from, tailSubjects(options.filter)));
    return new LogTail(connection, options, onMessage, first);
  }

  get position(): number {
    return this.#position;
  }

  async reached(sequence: number, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    const target = await this.#target(sequence);
    if (this.#position >= target) return;
    if (this.#stopping.signal.aborted) throw behind(target, this.#position);
    const waiter: Waiter = { sequence: target, arrival: deferred<void>() };
    const timer = setTimeout(() => this.#giveUp(waiter), Math.max(0, deadline - Date.now()));
    this.#waiters.add(waiter);
    try {
      await waiter.arrival;
    } finally {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#stallCheck);
    this.#stopping.abort();
    this.#messages?.stop();
    await this.finished;
    for (const waiter of this.#waiters) this.#giveUp(waiter);
  }

  #giveUp({ sequence, arrival }: Waiter): void {
    arrival.reject(behind(sequence, this.#position));
  }

  /** A filtered tail passes over the messages of others: its last own one up to there is what it can reach. */
  async #target(sequence: number): Promise<number> {
    if (this.#subjects === undefined || this.#position >= sequence) return sequence;
    const last = await lastMessage(this.connection, this.#subjects);
    return Math.min(sequence, last?.seq ?? 0);
  }

  async #run(first: Consumer): Promise<void> {
    let consumer: Consumer | null = first;
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      const before = this.#position;
      try {
        consumer ??= await this.connection.once(() => openConsumer(this.connection, this.#position + 1, this.#subjects));
        await this.#consume(consumer);
      } catch (error) {
        if (!this.#stopping.signal.aborted) this.options.logger.warn('log tail restarts', { position: this.#position, error });
      }
      consumer = null;
      failures = this.#position > before ? 0 : failures + 1;
      if (!this.#stopping.signal.aborted) await backoff(failures, this.#stopping.signal);
    }
  }

  async #consume(consumer: Consumer): Promise<void> {
    const limits = { max_messages: MAX_WAITING_MESSAGES, idle_heartbeat: IDLE_HEARTBEAT_MS, expires: PULL_EXPIRES_MS };
    const messages = await consumer.consume(limits);
    this.#messages = messages;
    // A stop that came meanwhile found nothing to stop.
    if (this.#stopping.signal.aborted) messages.stop();
    void endOnReset(messages);
    try {
      for await (const message of messages) {
        if (this.#stopping.signal.aborted) break;
        if (message.seq > this.#position) await this.#handle(message);
      }
    } finally {
      this.#messages = null;
      messages.stop();
      // Best effort: the server forgets it by itself.
      consumer.delete().catch(() => undefined);
    }
  }

  async #handle(raw: JsMsg): Promise<void> {
    const message = this.#decode(raw);
    this.#handling = true;
    try {
      if (message !== null) await this.onMessage(message);
    } finally {
      this.#handling = false;
    }
    this.#position = raw.seq;
    for (const waiter of this.#waiters) if (waiter.sequence <= this.#position) waiter.arrival.resolve();
  }

  /** What no owner can have written must not stop everybody's tail. */
  #decode(raw: JsMsg): LogMessage | null {
    const { subject, seq, data } = raw;
    try {
      return decodeMessage({ subject, seq, data, header: (name) => raw.headers?.get(name) || undefined });
    } catch (error) {
      if (!(error instanceof Bug)) throw error;
      this.options.logger.error('log holds a message that nobody can read', { sequence: seq, error });
      return null;
    }
  }

  async #replaceWhenStalled(): Promise<void> {
    const before = this.#positionAtCheck;
    this.#positionAtCheck = this.#position;
    if (this.#handling || this.#position !== before) return;
    const last = await lastMessage(this.connection, this.#subjects ?? `${SUBJECT_ROOT}.>`).catch(() => null);
    if (last === null || last.seq <= this.#position || this.#position !== before) return;
    this.options.logger.warn('log tail stalled', { position: this.#position, last: last.seq });
    this.#messages?.stop();
  }
}

/**
 * After a reset the client still counts the pulls of the lost consumer as open, and stalls for seconds once the little it asked for
 * has come. A fresh consumer from the position on has no such memory. What is already here is handled first.
 */
async function endOnReset(messages: ConsumerMessages): Promise<void> {
  for await (const { type } of messages.status()) if (type === 'reset') messages.stop();
}

function openConsumer(connection: LogConnection, from: number, subjects: string | undefined): Promise<Consumer> {
  const filter = subjects === undefined ? {} : { filter_subjects: subjects };
  return connection.js.consumers.get(EVENT_STREAM, { opt_start_seq: from, inactive_threshold: CONSUMER_INACTIVE_MS, ...filter });
}

function behind(target: number, position: number): Fault {
  const message = `This process has seen the log up to ${position}, not yet ${target}. Repeat the request.`;
  return new Fault('log.behind', message, { details: { target, position } });
}
