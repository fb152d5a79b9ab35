import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { SessionEvent } from '@bullpen/contracts';
import { withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import { append } from './appender.js';
import { LogConnection } from './connection.js';
import type { LogCredentials } from './connection.js';
import type {
  Appended,
  AppendRequest,
  EventLog,
  Lane,
  LaneEnd,
  LogMessage,
  ReadSessionOptions,
  SessionHead,
  Tail,
  TailOptions,
} from './event-log.js';
import { readLane, readSession } from './history.js';
import { eventId } from './ids.js';
import { lastMessage, lastSequence } from './leader.js';
import { decodeMessage } from './messages.js';
import { readEpoch } from './stream.js';
import { laneSubject, sessionSubjects } from './subjects.js';
import { LogTail } from './tail.js';

/**
 * Opens the log for one service; the connection comes back by itself for as long as the process lives.
 *
 * @throws Fault `log.unavailable` when no server answers in time (20 s unless said otherwise), `log.not-prepared` when it has no stream;
 *   Rejection `log.not-authorized`, `nats.version`
 */
export async function connectEventLog(credentials: LogCredentials, withinMs?: number): Promise<EventLog> {
  const connection = await LogConnection.open(credentials, withinMs);
  try {
    return new JetStreamEventLog(connection, await readEpoch(connection), withoutRepeats(credentials.logger));
  } catch (error) {
    await connection.close();
    throw error;
  }
}

class JetStreamEventLog implements EventLog {
  readonly #tails = new Set<Tail>();

  constructor(
    private readonly connection: LogConnection,
    readonly epoch: string,
    private readonly logger: Logger,
  ) {}

  lastSequence(): Promise<number> {
    return lastSequence(this.connection);
  }

  append(request: AppendRequest): Promise<Appended> {
    return append(this.connection, request);
  }

  async laneEnd(lane: Lane): Promise<LaneEnd> {
    const last = await lastMessage(this.connection, laneSubject(lane));
    return last === null ? { sequence: 0, message: null } : { sequence: last.seq, message: decodeMessage(last) };
  }

  readLane(lane: Lane, fromSequence = 0): AsyncIterable<LogMessage> {
    return readLane(this.connection, lane, fromSequence);
  }

  readSession(sessionId: string, options: ReadSessionOptions): AsyncIterable<SessionEvent> {
    return readSession(this.connection, sessionId, options);
  }

  async sessionHead(sessionId: string): Promise<SessionHead> {
    const last = await lastMessage(this.connection, sessionSubjects(sessionId));
    if (last === null) return { id: BEFORE_ALL_EVENTS, sequence: 0 };
    return { id: eventId(last.seq, decodeMessage(last).events.length - 1), sequence: last.seq };
  }

  async tail(options: TailOptions, onMessage: (message: LogMessage) => void | Promise<void>): Promise<Tail> {
    const tail = await LogTail.start(this.connection, { ...options, logger: this.logger }, onMessage);
    this.#tails.add(tail);
    void tail.finished.then(() => this.#tails.delete(tail));
    return tail;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#tails].map((tail) => tail.stop()));
    await this.connection.close();
  }
}
