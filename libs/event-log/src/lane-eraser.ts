import { setTimeout as delay } from 'node:timers/promises';

import { JetStreamApiError } from '@nats-io/jetstream';

import { Fault } from '@bullpen/errors';
import type { Logger } from '@bullpen/telemetry';

import { LogConnection } from './connection.js';
import type { Lane } from './event-log.js';
import { EVENT_STREAM } from './server-config.js';
import { laneSubject } from './subjects.js';

/** After each message: everybody else's appends share the disk. */
const PAUSE_MS = 2;
const NO_MESSAGE = 10037;
/** Of a delete: it is gone already. */
const SEQUENCE_NOT_FOUND = 10043;

/** Takes messages out of the log for good. Only the user `admin` may. */
export interface LaneEraser {
  /**
   * Overwrites and removes every message of the lane before `sequence`, oldest first, a few hundred a second. May be repeated, and goes on
   * where it was broken off.
   *
   * @returns how many there were. @throws Fault `log.unavailable`
   */
  eraseBefore(lane: Lane, sequence: number, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** @throws as `connectEventLog` */
export async function connectLaneEraser(credentials: { readonly url: string; readonly password: string; readonly logger: Logger }): Promise<LaneEraser> {
  const connection = await LogConnection.open({ ...credentials, user: 'admin' });
  return {
    eraseBefore: (lane, sequence, signal) => eraseBefore(connection, { subject: laneSubject(lane), sequence, signal }),
    close: () => connection.close(),
  };
}

interface Stretch {
  readonly subject: string;
  readonly sequence: number;
  readonly signal: AbortSignal;
}

async function eraseBefore(connection: LogConnection, { subject, sequence, signal }: Stretch): Promise<number> {
  let erased = 0;
  for (let next = await nextOf(connection, subject, 1); next < sequence; next = await nextOf(connection, subject, next + 1)) {
    signal.throwIfAborted();
    await erase(connection, next);
    erased += 1;
    await delay(PAUSE_MS);
  }
  return erased;
}

/** The first message of the subject at or after a sequence. A replica that answers may know of a message that is gone: that does no harm. */
async function nextOf(connection: LogConnection, subject: string, from: number): Promise<number> {
  const query = { seq: from, next_by_subj: subject };
  const found = await connection.retry('look for a message to erase', () => connection.jsm.direct.getMessage(EVENT_STREAM, query));
  if (found !== null) return found.seq;
  throw new Fault('log.unavailable', `The event log's copy does not know the end of ${subject} yet. It is tried again.`);
}

async function erase(connection: LogConnection, sequence: number): Promise<void> {
  await connection.retry('erase a message', async () => {
    try {
      await connection.jsm.streams.deleteMessage(EVENT_STREAM, sequence, true);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && (error.code === SEQUENCE_NOT_FOUND || error.code === NO_MESSAGE))) throw error;
    }
  });
}
