import { JetStreamApiError } from '@nats-io/jetstream';
import type { JetStreamPublishOptions, PubAck } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';

import { Fault } from '@bullpen/errors';

import { asFailure, backoff, isTransient, OPERATION_DEADLINE_MS } from './connection.js';
import type { LogConnection } from './connection.js';
import { LaneConflict } from './event-log.js';
import type { Appended, AppendRequest } from './event-log.js';
import { eventId } from './ids.js';
import { lastMessage } from './leader.js';
import { encodeAppend, FRAMES_HEADER, MESSAGE_ID_HEADER } from './messages.js';
import type { EncodedAppend } from './messages.js';
import { appendSeconds, appends, unclearAcknowledgements } from './metrics.js';
import { EVENT_STREAM } from './server-config.js';

/** Wrong last sequence; the same message id is in process; wrong last sequence, unknown which. */
const UNCLEAR_CODES: readonly number[] = [10071, 10158, 10164];
/** The server or its storage is at its limit: nothing was stored. */
const FULL_CODES: readonly number[] = [10023, 10047];

/**
 * One append. An acknowledgement that says nothing for sure is settled by the lane's last message: ours, so it is done; another's, so
 * it is a conflict; none since, so the same bytes are sent again.
 */
export async function append(connection: LogConnection, request: AppendRequest): Promise<Appended> {
  const message = encodeAppend(request);
  const began = performance.now();
  const lane = message.lane.name;
  const measure = (outcome: string): void => {
    appendSeconds.record((performance.now() - began) / 1_000, { lane });
    appends.add({ lane, outcome });
  };
  try {
    const done = await settle(connection, message);
    measure('done');
    return done;
  } catch (error) {
    measure(outcomeOf(error));
    throw error;
  }
}

async function settle(connection: LogConnection, message: EncodedAppend): Promise<Appended> {
  const deadline = Date.now() + OPERATION_DEADLINE_MS;
  for (let attempt = 0; ; attempt += 1) {
    const acknowledged = await send(connection, message);
    if (acknowledged !== null && !acknowledged.duplicate) return appended(message, acknowledged.seq);
    unclearAcknowledgements.add({});
    const end = await lastMessage(connection, message.subject, deadline);
    if (end?.header(MESSAGE_ID_HEADER) === message.messageId) return appended(message, end.seq);
    const actual = end?.seq ?? 0;
    if (actual !== message.expected || acknowledged?.duplicate === true)
      throw new LaneConflict(message.lane, message.expected, actual);
    if (Date.now() >= deadline) throw unavailable(message);
    await backoff(attempt);
  }
}

function outcomeOf(error: unknown): string {
  if (error instanceof LaneConflict) return 'conflict';
  return error instanceof Fault && error.code === 'log.unavailable' ? 'unclear' : 'failed';
}

/** Null when it is unclear whether the message is in the log. */
async function send(connection: LogConnection, message: EncodedAppend): Promise<PubAck | null> {
  try {
    return await connection.once(() => connection.js.publish(message.subject, message.payload, publishOptions(message)));
  } catch (error) {
    if (error instanceof JetStreamApiError && FULL_CODES.includes(error.code)) throw full(message, error);
    if (isUnclear(error)) return null;
    throw asFailure(`append to ${message.subject}`, error);
  }
}

function isUnclear(error: unknown): boolean {
  if (error instanceof JetStreamApiError && UNCLEAR_CODES.includes(error.code)) return true;
  return isTransient(error);
}

function publishOptions(message: EncodedAppend): Partial<JetStreamPublishOptions> {
  const extra = headers();
  if (message.frames !== undefined) extra.set(FRAMES_HEADER, message.frames);
  const expect = { streamName: EVENT_STREAM, lastSubjectSequence: message.expected };
  return { msgID: message.messageId, expect, headers: extra };
}

function appended(message: EncodedAppend, sequence: number): Appended {
  return { sequence, lastId: eventId(sequence, message.count - 1) };
}

function full(message: EncodedAppend, cause: unknown): Fault {
  const text = `The event log has no storage left for ${message.subject}: nothing was changed. Raise the limits of its NATS server, or delete sessions.`;
  return new Fault('log.full', text, { details: { lane: message.lane.name }, cause });
}

function unavailable(message: EncodedAppend): Fault {
  return new Fault('log.unavailable', `The event log did not take an append to ${message.subject}. Repeat the request; if that lasts, make doctor looks at its disk.`, {
    details: { lane: message.lane.name },
  });
}
