import { setTimeout as delay } from 'node:timers/promises';

import { isEntityId } from '@bullpen/contracts';
import { isRejectionOf } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';
import { LruCache } from '@bullpen/eventsourcing';
import { compareEventIds, evolveSession, initialSessionState } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';
import { withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import type { SessionReader, SessionSnapshots } from '../../core/ports.js';
import { notFound } from '../../core/session.aggregate.js';

/** A long session's state takes megabytes. */
const MAX_CACHED_SESSIONS = 64;
/** A database that does not answer must not cost more than most sessions take to read. */
const SNAPSHOT_TIMEOUT_MS = 500;

export interface SessionReaderParts {
  readonly log: EventLog;
  readonly snapshots: SessionSnapshots;
  readonly logger: Logger;
}

/** Reads on from the last state it made, or else from the last one kept, up to the session's end as the leader has it. */
export function createSessionReader({ log, snapshots, logger }: SessionReaderParts): SessionReader {
  const states = new LruCache<string, SessionState>(MAX_CACHED_SESSIONS);
  const reading = new Map<string, Promise<SessionState>>();
  const patient = withoutRepeats(logger);

  async function kept(sessionId: string, head: string): Promise<SessionState | null> {
    const late = new AbortController();
    const loading = snapshots.load(sessionId).catch((error: unknown) => {
      patient.warn('sessions are folded from their beginning: no snapshot can be read', { error });
      return null;
    });
    const snapshot = await Promise.race([loading, delay(SNAPSHOT_TIMEOUT_MS, null, { signal: late.signal }).catch(() => null)]);
    late.abort();
    return snapshot !== null && compareEventIds(snapshot.head, head) <= 0 ? snapshot : null;
  }

  async function readOn(sessionId: string, head: string): Promise<SessionState> {
    let state = states.get(sessionId) ?? (await kept(sessionId, head)) ?? initialSessionState(sessionId);
    try {
      for await (const event of log.readSession(sessionId, { after: state.head })) state = evolveSession(state, event);
    } catch (error) {
      if (!isRejectionOf(error, 'event.unknown')) throw error;
      // Deleted and erased since it was read last.
      states.delete(sessionId);
      throw notFound(sessionId);
    }
    states.set(sessionId, state);
    return state;
  }

  /** Whoever asks meanwhile joins only a reading that goes at least as far as the head it saw. */
  async function readTo(sessionId: string, head: string): Promise<SessionState> {
    const current = reading.get(sessionId);
    if (current) {
      const state = await current;
      if (compareEventIds(state.head, head) >= 0) return state;
    }
    const next = readOn(sessionId, head).finally(() => reading.delete(sessionId));
    reading.set(sessionId, next);
    return next;
  }

  return {
    read: async (sessionId) => {
      const head = isEntityId(sessionId) ? (await log.sessionHead(sessionId)).id : '0';
      if (head === '0') throw notFound(sessionId);
      const cached = states.get(sessionId);
      const state = cached?.head === head ? cached : await readTo(sessionId, head);
      // Short of the head: what lay there was erased during the reading.
      if (!state.deleted && compareEventIds(state.head, head) >= 0) return state;
      states.delete(sessionId);
      throw notFound(sessionId);
    },
  };
}
