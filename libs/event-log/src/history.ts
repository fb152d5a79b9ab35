import { setTimeout as delay } from 'node:timers/promises';

import type { StoredMsg } from '@nats-io/jetstream';

import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { SessionEvent } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';

import { OPERATION_DEADLINE_MS } from './connection.js';
import type { LogConnection } from './connection.js';
import { readDirectBatch } from './direct-batch.js';
import type { Lane, LogMessage, ReadSessionOptions } from './event-log.js';
import { eventId, parseEventId } from './ids.js';
import type { EventPosition } from './ids.js';
import { asRaw, lastMessage } from './leader.js';
import { decodeMessage } from './messages.js';
import { EVENT_STREAM } from './server-config.js';
import { stampEvents } from './stamp.js';
import { laneSubject, sessionSubjects } from './subjects.js';

/** Of one request: by count, and by bytes held in memory. */
const BATCH_MESSAGES = 256;
const BATCH_BYTES = 4 * 1024 * 1024;
/** A replica that answers may be behind the leader for a moment. */
const STALE_POLL_MS = 50;

/** All messages of a lane up to its end as the leader has it now. */
export async function* readLane(connection: LogConnection, lane: Lane, fromSequence: number): AsyncGenerator<LogMessage> {
  const subject = laneSubject(lane);
  const end = await lastMessage(connection, subject);
  if (end !== null) yield* readThrough(connection, { subject, from: fromSequence, end: end.seq });
}

/** The session's events after `after`, stamped, up to `throughSequence` or the head as the leader has it now. */
export async function* readSession(
  connection: LogConnection,
  sessionId: string,
  { after, throughSequence = Number.MAX_SAFE_INTEGER }: ReadSessionOptions,
): AsyncGenerator<SessionEvent> {
  const subject = sessionSubjects(sessionId);
  const start = parseAfter(after);
  const head = await lastMessage(connection, subject);
  const end = head?.seq ?? 0;
  if (start.sequence > end) throw unknownEvent(after);
  let prev = after === BEFORE_ALL_EVENTS ? null : after;
  let known = after === BEFORE_ALL_EVENTS;
  for await (const message of readThrough(connection, { subject, from: start.sequence, end })) {
    if (!known && !holds(message, start)) throw unknownEvent(after);
    known = true;
    if (message.sequence > throughSequence) return;
    const fresh = message.sequence === start.sequence ? start.index + 1 : 0;
    yield* stampEvents(message, prev).slice(fresh);
    prev = eventId(message.sequence, message.events.length - 1);
  }
}

interface Stretch {
  readonly subject: string;
  readonly from: number;
  /** The leader has a message of the subject at this sequence. */
  readonly end: number;
}

/**
 * Ends only with the message at `end`, or with one beyond it when that was erased meanwhile: a replica that lags can make it slow, never
 * incomplete.
 */
async function* readThrough(connection: LogConnection, { subject, from, end }: Stretch): AsyncGenerator<LogMessage> {
  let next = Math.max(from, 1);
  let deadline = Date.now() + OPERATION_DEADLINE_MS;
  while (next <= end) {
    const batch = await connection.retry('read history', () => readBatch(connection, subject, next));
    for (const stored of batch) {
      if (stored.seq > end) return;
      yield decodeMessage(asRaw(stored));
      next = stored.seq + 1;
      deadline = Date.now() + OPERATION_DEADLINE_MS;
    }
    if (batch.length > 0) continue;
    if (Date.now() >= deadline)
      throw new Fault('log.unavailable', `The event log's copy is behind its leader at ${next}. Repeat the request.`);
    await delay(STALE_POLL_MS);
  }
}

function readBatch(connection: LogConnection, subject: string, seq: number): Promise<readonly StoredMsg[]> {
  const query = { seq, next_by_subj: subject, batch: BATCH_MESSAGES, max_bytes: BATCH_BYTES };
  return readDirectBatch((callback) => connection.jsm.direct.getBatch(EVENT_STREAM, { ...query, callback }));
}

function parseAfter(after: string): EventPosition {
  const position = parseEventId(after);
  if (position === null) throw unknownEvent(after);
  // `0` is before the first event of the first message, which is message 1.
  return after === BEFORE_ALL_EVENTS ? { sequence: 0, index: -1 } : position;
}

function holds(message: LogMessage, { sequence, index }: EventPosition): boolean {
  return message.sequence === sequence && index < message.events.length;
}

function unknownEvent(after: string): Rejection {
  const id = after.slice(0, 32);
  return new Rejection(
    'event.unknown',
    `No event of this session has the id ${id}. Subscribe from 0, or from an id that this session gave.`,
    {
      after: id,
    },
  );
}
