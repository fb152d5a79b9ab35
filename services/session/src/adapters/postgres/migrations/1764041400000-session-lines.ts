import type { MigrationInterface, QueryRunner } from 'typeorm';

const SCHEMA = 'session';

/** What a line of the list says beside its title: lines that changed, and the last notable thing. */
export class SessionLines1764041400000 implements MigrationInterface {
  readonly name = 'SessionLines1764041400000';

  async up(runner: QueryRunner): Promise<void> {
    // Rows of the version before are made again under the projector's new name.
    await runner.query(`DELETE FROM ${SCHEMA}.session_list`);
    await runner.query(`
      ALTER TABLE ${SCHEMA}.session_list
        ADD COLUMN additions int NOT NULL, ADD COLUMN deletions int NOT NULL, ADD COLUMN notable jsonb`);
    // It quotes people and agents: statistics would keep samples of it after it was erased.
    await runner.query(`ALTER TABLE ${SCHEMA}.session_list ALTER COLUMN notable SET STATISTICS 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE ${SCHEMA}.session_list DROP COLUMN notable, DROP COLUMN deletions, DROP COLUMN additions`);
  }
}
