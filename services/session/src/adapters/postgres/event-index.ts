import { isEntityId } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';
import { parseEventId } from '@bullpen/event-log';

import { eventIndexProjector, readingStart } from '../../core/event-index.projector.js';
import type { IndexedSession } from '../../core/event-index.projector.js';
import type { EventIndex } from '../../core/ports.js';
import { notFound } from '../../core/session.aggregate.js';
import type { Database } from './database.js';
import { SCHEMA } from './session-list.entity.js';

const MAX_COUNT = 2_000;
/** Rows of another log name no event of this one. */
const MARKS = `
  SELECT marks FROM ${SCHEMA}.event_index
  WHERE session_id = $1 AND EXISTS (SELECT FROM ${SCHEMA}.projection_positions WHERE projector = $2 AND epoch = $3)`;

/** Reads committed rows, whichever process writes them. */
export function createEventIndex(database: Database, epoch: string): EventIndex {
  return {
    startBefore: async ({ sessionId, before, count }) => {
      if (!isEntityId(sessionId)) throw notFound(sessionId);
      if (parseEventId(before) === null) throw new Rejection('event.unknown', '`before` is no event id. Use an id that this session gave.', { before });
      const wanted = Math.min(Math.max(count, 1), MAX_COUNT);
      try {
        const dataSource = await database.dataSource();
        const [row] = await dataSource.query<Pick<IndexedSession, 'marks'>[]>(MARKS, [sessionId, eventIndexProjector.name, epoch]);
        return readingStart(row?.marks ?? [], before, wanted);
      } catch (cause) {
        throw new Fault('event-index.unavailable', 'The index of events cannot be read: its database is away. Read from the session’s start.', { cause });
      }
    },
  };
}
