import { parseEventId } from '@bullpen/event-log';
import { SESSION_MODEL } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';

import { eventIndexProjector } from '../../core/event-index.projector.js';
import type { DueSnapshot, SessionSnapshots } from '../../core/ports.js';
import type { Database } from './database.js';
import { SCHEMA } from './session-list.entity.js';

/** What a cold read folds at most, beside what came since the keeper looked. */
const EVENTS_PER_SNAPSHOT = 500;
/** More are due at the next look. */
const MAX_DUE = 100;
/** Of JSON. A larger state takes no less time to read back than its events; an empty one says that it was looked at. */
const MAX_SNAPSHOT_CHARS = 64 * 1024 * 1024;

const DUE = `
  SELECT indexed.session_id AS "sessionId", indexed.events
  FROM ${SCHEMA}.event_index indexed
  JOIN ${SCHEMA}.session_list listed ON listed.session_id = indexed.session_id
  LEFT JOIN ${SCHEMA}.session_snapshot kept ON kept.session_id = indexed.session_id AND kept.epoch = $1 AND kept.model = $2
  WHERE indexed.events - coalesce(kept.events, 0) >= $3
    AND EXISTS (SELECT FROM ${SCHEMA}.projection_positions WHERE projector = $4 AND epoch = $1)
  LIMIT $5`;
/** A session that the list does not have (not yet, or no more) keeps nothing: erasing relies on it. */
const SAVE = `
  INSERT INTO ${SCHEMA}.session_snapshot AS kept (session_id, epoch, model, sequence, events, state)
  SELECT $1::text, $2::text, $3::text, $4::bigint, $5::int, $6::text WHERE EXISTS (SELECT FROM ${SCHEMA}.session_list WHERE session_id = $1)
  ON CONFLICT (session_id) DO UPDATE SET epoch = $2, model = $3, sequence = $4, events = $5, state = $6
  WHERE kept.epoch <> $2 OR kept.model <> $3 OR kept.sequence <= $4
  RETURNING session_id`;

/** Each row says itself of which log, which fold and which event it is; one that does not fit is as good as none. */
export function createSessionSnapshots(database: Database, epoch: string): SessionSnapshots {
  return {
    load: async (sessionId) => {
      const dataSource = await database.dataSource();
      const sql = `SELECT state FROM ${SCHEMA}.session_snapshot WHERE session_id = $1 AND epoch = $2 AND model = $3`;
      const [row] = await dataSource.query<{ state: string }[]>(sql, [sessionId, epoch, SESSION_MODEL]);
      return row?.state ? (JSON.parse(row.state) as SessionState) : null;
    },
    save: async (state, events) => {
      const json = JSON.stringify(state);
      const kept = json.length > MAX_SNAPSHOT_CHARS ? '' : json;
      const dataSource = await database.dataSource();
      const parameters = [state.sessionId, epoch, SESSION_MODEL, parseEventId(state.head)?.sequence ?? 0, events, kept];
      return (await dataSource.query<unknown[]>(SAVE, parameters)).length > 0;
    },
    due: async () => {
      const dataSource = await database.dataSource();
      return dataSource.query<DueSnapshot[]>(DUE, [epoch, SESSION_MODEL, EVENTS_PER_SNAPSHOT, eventIndexProjector.name, MAX_DUE]);
    },
    forgetOtherLogs: async () => {
      const dataSource = await database.dataSource();
      await dataSource.query(`DELETE FROM ${SCHEMA}.session_snapshot WHERE epoch <> $1`, [epoch]);
    },
  };
}
