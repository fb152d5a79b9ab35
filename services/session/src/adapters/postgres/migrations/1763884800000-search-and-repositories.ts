import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'session';
/** Hold what people wrote, or may quote it. */
const ERASABLE = ['session_list', 'turn_checkpoint', 'projection_faults'];

/**
 * Search, archived sessions and repositories. What people wrote goes into tables that are not logged: the write-ahead log would keep it
 * after it was erased. A crash of the server empties them, and the positions with them, so they are made again from the log.
 */
export class SearchAndRepositories1763884800000 implements MigrationInterface {
  readonly name = 'SearchAndRepositories1763884800000';

  async up(runner: QueryRunner): Promise<void> {
    // Rows of the version before are made again under the projector's new name.
    await runner.query(`DELETE FROM ${SCHEMA}.session_list`);
    await runner.query(`
      ALTER TABLE ${SCHEMA}.session_list
        ADD COLUMN archived boolean NOT NULL, ADD COLUMN words text NOT NULL, ADD COLUMN search_text text NOT NULL,
        ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple', search_text)) STORED`);
    await runner.query(`CREATE INDEX session_list_search ON ${SCHEMA}.session_list USING gin (search)`);
    await runner.query(`
      CREATE TABLE ${SCHEMA}.repository_list (
        repository_id text PRIMARY KEY, organisation_id text NOT NULL, name text NOT NULL, source text NOT NULL, default_branch text NOT NULL,
        added_at text NOT NULL, used_at text COLLATE "C" NOT NULL, last_used_at text NOT NULL, removed boolean NOT NULL)`);
    for (const table of [...ERASABLE, 'repository_list', 'projection_positions']) {
      await runner.query(`ALTER TABLE ${SCHEMA}.${table} SET UNLOGGED`);
    }
    // Statistics would keep samples of the values, in a table of their own.
    for (const column of ['title', 'words', 'search_text', 'search']) {
      await runner.query(`ALTER TABLE ${SCHEMA}.session_list ALTER COLUMN ${column} SET STATISTICS 0`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ${SCHEMA}.repository_list`);
    await runner.query(`ALTER TABLE ${SCHEMA}.session_list DROP COLUMN search, DROP COLUMN search_text, DROP COLUMN words, DROP COLUMN archived`);
    for (const table of [...ERASABLE, 'projection_positions']) await runner.query(`ALTER TABLE ${SCHEMA}.${table} SET LOGGED`);
  }
}
