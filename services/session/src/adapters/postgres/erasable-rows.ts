import { setTimeout as delay } from 'node:timers/promises';

import { Client } from 'pg';

import { Fault } from '@bullpen/errors';
import type { ProjectionPosition } from '@bullpen/eventsourcing';

import type { ErasableRows } from '../../core/ports.js';
import { sessionListProjector } from '../../core/session-list.projector.js';
import type { Database } from './database.js';
import { reached } from './read-after.js';
import { SCHEMA } from './session-list.entity.js';

const TABLES = ['session_list', 'session_snapshot', 'turn_checkpoint', 'projection_faults'];
const CONNECT_TIMEOUT_MS = 3_000;
/** Of one table, which is written anew. */
const REWRITE_TIMEOUT_MS = 10 * 60_000;
/** How long readers that began before may still look at what was deleted. */
const UNSEEN_TIMEOUT_MS = 5_000;
const UNSEEN_POLL_MS = 20;
const TRANSACTIONS_AS_OLD = `
  SELECT pid FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND (age(backend_xmin) >= age($1::xid) OR age(backend_xid) >= age($1::xid))`;

/** A deleted row's bytes stay in the table's file until the file is written anew; the tables are not in the write-ahead log. */
export function createErasableRows(database: Database, { url, epoch }: { readonly url: string; readonly epoch: string }): ErasableRows {
  return {
    erase: async (sessionIds, throughSequence) => {
      const dataSource = await database.dataSource();
      if (!(await reached(dataSource, sessionListProjector.name, { epoch, sequence: throughSequence }))) {
        throw new Fault('session-list.behind', 'The list of sessions has not come to the deletion yet. It is tried again.');
      }
      const client = new Client({
        connectionString: url,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: REWRITE_TIMEOUT_MS,
        application_name: 'bullpen-session-erasure',
      });
      client.on('error', () => undefined);
      try {
        await client.connect();
        await untilUnseen(client, await deleteRows(client, sessionIds, { epoch, sequence: throughSequence }));
        for (const table of TABLES) await client.query(`VACUUM (FULL) ${SCHEMA}.${table}`);
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}

/** Snapshots are saved only of sessions on the list, where these are no more: behind the lock, none is saved any longer. */
async function deleteRows(client: Client, sessionIds: readonly string[], { epoch, sequence }: ProjectionPosition): Promise<string> {
  await client.query('BEGIN');
  await client.query(`LOCK TABLE ${SCHEMA}.session_snapshot IN SHARE ROW EXCLUSIVE MODE`);
  await client.query(`DELETE FROM ${SCHEMA}.session_snapshot WHERE session_id = ANY($1)`, [sessionIds]);
  // It quotes how turns ended, and is written again within seconds.
  await client.query(`DELETE FROM ${SCHEMA}.turn_checkpoint WHERE epoch <> $1 OR sequence < $2`, [epoch, sequence]);
  const { rows } = await client.query<{ xid: string }>('SELECT pg_current_xact_id()::xid::text AS xid');
  await client.query('COMMIT');
  return rows[0]?.xid ?? '0';
}

/** A row that some transaction may still look at is kept by a rewrite. */
async function untilUnseen(client: Client, xid: string): Promise<void> {
  for (const end = Date.now() + UNSEEN_TIMEOUT_MS; (await client.query(TRANSACTIONS_AS_OLD, [xid])).rows.length > 0;) {
    if (Date.now() >= end) throw new Fault('erasure.waits', 'Transactions older than the deletion still run in Postgres. It is tried again.');
    await delay(UNSEEN_POLL_MS);
  }
}
