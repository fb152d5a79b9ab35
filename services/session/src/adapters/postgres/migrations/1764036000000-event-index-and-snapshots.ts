import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'session';

/** Where events lie in the log, and folds to read on from. Not logged, as everything that is made from what people wrote. */
export class EventIndexAndSnapshots1764036000000 implements MigrationInterface {
  readonly name = 'EventIndexAndSnapshots1764036000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE UNLOGGED TABLE ${SCHEMA}.event_index (
        session_id text COLLATE "C" PRIMARY KEY, events int NOT NULL, rev bigint NOT NULL, marks jsonb NOT NULL)`);
    // Text, not jsonb: the state comes back to the byte, U+0000 included.
    await runner.query(`
      CREATE UNLOGGED TABLE ${SCHEMA}.session_snapshot (
        session_id text COLLATE "C" PRIMARY KEY, epoch text NOT NULL, model text NOT NULL, sequence bigint NOT NULL,
        events int NOT NULL, state text NOT NULL)`);
    // Statistics would keep samples of it, in a table of their own.
    await runner.query(`ALTER TABLE ${SCHEMA}.session_snapshot ALTER COLUMN state SET STATISTICS 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['event_index', 'session_snapshot']) await runner.query(`DROP TABLE ${SCHEMA}.${table}`);
  }
}
