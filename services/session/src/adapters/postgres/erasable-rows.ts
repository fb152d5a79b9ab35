import { Client } from 'pg';

import { Fault } from '@bullpen/errors';

import type { ErasableRows } from '../../core/ports.js';
import { sessionListProjector } from '../../core/session-list.projector.js';
import type { Database } from './database.js';
import { reached } from './read-after.js';
import { SCHEMA } from './session-list.entity.js';

const TABLES = ['session_list', 'turn_checkpoint', 'projection_faults'];
const CONNECT_TIMEOUT_MS = 3_000;
/** Of one table, which is written anew. */
const REWRITE_TIMEOUT_MS = 10 * 60_000;

/** A deleted row's bytes stay in the table's file until the file is written anew; the tables are not in the write-ahead log. */
export function createErasableRows(database: Database, { url, epoch }: { readonly url: string; readonly epoch: string }): ErasableRows {
  return {
    erase: async (throughSequence) => {
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
        // It quotes how turns ended, and is written again within seconds.
        await client.query(`DELETE FROM ${SCHEMA}.turn_checkpoint WHERE epoch <> $1 OR sequence < $2`, [epoch, throughSequence]);
        for (const table of TABLES) await client.query(`VACUUM (FULL) ${SCHEMA}.${table}`);
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}
