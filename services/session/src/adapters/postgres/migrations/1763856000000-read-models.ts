import type { MigrationInterface, QueryRunner } from 'typeorm';

import { projectionTables } from '@bullpen/eventsourcing';

const SCHEMA = 'session';

/** The list of sessions, the positions of projections, and the turn process's checkpoint. */
export class ReadModels1763856000000 implements MigrationInterface {
  readonly name = 'ReadModels1763856000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of projectionTables(SCHEMA)) await runner.query(statement);
    await runner.query(`
      CREATE TABLE ${SCHEMA}.session_list (
        session_id text COLLATE "C" PRIMARY KEY, organisation_id text NOT NULL, title text NOT NULL, status text NOT NULL,
        repository_id text NOT NULL, repository_name text NOT NULL, branch text NOT NULL, agent text NOT NULL, model text NOT NULL,
        created_at text COLLATE "C" NOT NULL, updated_at text COLLATE "C" NOT NULL, rev bigint NOT NULL,
        turns int NOT NULL, files_changed int NOT NULL, queued_prompts jsonb NOT NULL, running jsonb, last_outcome text)`);
    await runner.query(`
      CREATE INDEX session_list_newest ON ${SCHEMA}.session_list (organisation_id, created_at DESC, session_id DESC)`);
    await runner.query(`
      CREATE TABLE ${SCHEMA}.turn_checkpoint (
        name text PRIMARY KEY, epoch text NOT NULL, sequence bigint NOT NULL, turns jsonb NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['session_list', 'turn_checkpoint', 'projection_faults', 'projection_positions']) {
      await runner.query(`DROP TABLE ${SCHEMA}.${table}`);
    }
  }
}
