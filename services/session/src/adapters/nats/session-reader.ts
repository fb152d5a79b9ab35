import { isEntityId } from '@bullpen/contracts';
import { isRejectionOf } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';
import { LruCache } from '@bullpen/eventsourcing';
import { evolveSession, initialSessionState } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';

import type { SessionReader } from '../../core/ports.js';
import { notFound } from '../../core/session.aggregate.js';

/** A long session's state takes megabytes. */
const MAX_CACHED_SESSIONS = 64;

/** Reads on from the last state it made, up to the session's end as the leader has it. */
export function createSessionReader(log: EventLog): SessionReader {
  const states = new LruCache<string, SessionState>(MAX_CACHED_SESSIONS);
  const reading = new Map<string, Promise<SessionState>>();

  async function readOn(sessionId: string): Promise<SessionState> {
    let state = states.get(sessionId) ?? initialSessionState(sessionId);
    try {
      for await (const event of log.readSession(sessionId, { after: state.head })) state = evolveSession(state, event);
    } catch (error) {
      if (!isRejectionOf(error, 'event.unknown')) throw error;
      // Deleted and erased since it was read last.
      states.delete(sessionId);
      throw notFound();
    }
    states.set(sessionId, state);
    return state;
  }

  /** Whoever asks meanwhile joins only a reading that goes at least as far as the head it saw. */
  async function readTo(sessionId: string, head: string): Promise<SessionState> {
    const current = reading.get(sessionId);
    if (current) {
      const state = await current;
      if (BigInt(state.head) >= BigInt(head)) return state;
    }
    const next = readOn(sessionId).finally(() => reading.delete(sessionId));
    reading.set(sessionId, next);
    return next;
  }

  return {
    read: async (sessionId) => {
      const head = isEntityId(sessionId) ? (await log.sessionHead(sessionId)).id : '0';
      if (head === '0') throw notFound();
      const cached = states.get(sessionId);
      const state = cached?.head === head ? cached : await readTo(sessionId, head);
      // Short of the head: what lay there was erased during the reading.
      if (!state.deleted && BigInt(state.head) >= BigInt(head)) return state;
      states.delete(sessionId);
      throw notFound();
    },
  };
}
