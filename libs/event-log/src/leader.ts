import type { StoredMsg } from '@nats-io/jetstream';

import type { LogConnection } from './connection.js';
import type { RawMessage } from './messages.js';
import { EVENT_STREAM } from './server-config.js';

/** What only the stream's leader may answer: ends of lanes, heads, the fence. */

/** The last message on a subject, which may end in a wildcard; null when there is none. @throws Fault `log.unavailable` */
export async function lastMessage(connection: LogConnection, subject: string, deadline?: number): Promise<RawMessage | null> {
  const read = () => connection.jsm.streams.getMessage(EVENT_STREAM, { last_by_subj: subject });
  const stored = await connection.retry('read the end of a lane', read, deadline);
  return stored === null ? null : asRaw(stored);
}

/** @throws Fault `log.unavailable` */
export async function lastSequence(connection: LogConnection): Promise<number> {
  const info = await connection.retry('read its last sequence', () => connection.jsm.streams.info(EVENT_STREAM));
  return info.state.last_seq;
}

export function asRaw(stored: StoredMsg): RawMessage {
  return {
    subject: stored.subject,
    seq: stored.seq,
    data: stored.data,
    header: (name) => stored.header.get(name) || undefined,
  };
}
