import { DataSource } from 'typeorm';

import type { Logger } from '@bullpen/telemetry';

import { eventIndexEntity } from './event-index.entity.js';
import { EventIndexAndSnapshots1764036000000 } from './migrations/1764036000000-event-index-and-snapshots.js';
import { ReadModels1763856000000 } from './migrations/1763856000000-read-models.js';
import { SearchAndRepositories1763884800000 } from './migrations/1763884800000-search-and-repositories.js';
import { SessionLines1764041400000 } from './migrations/1764041400000-session-lines.js';
import { repositoryListEntity } from './repository-list.entity.js';
import { SCHEMA, sessionListEntity } from './session-list.entity.js';

const POOL_SIZE = 8;
const CONNECT_TIMEOUT_MS = 3_000;
/** A server that stopped answering must not hold a call for longer. */
const QUERY_TIMEOUT_MS = 10_000;
const MIGRATION_LOCK = `hashtextextended('${SCHEMA}.migrations', 0)`;

/** Postgres, once it can be reached: everything in it is derived, so the service runs without it. */
export class Database {
  #opening: Promise<DataSource> | null = null;
  #closed = false;

  constructor(
    private readonly url: string,
    private readonly logger: Logger,
  ) {}

  /** Connected and migrated. Fails while the server is away; the next call tries again. */
  async dataSource(): Promise<DataSource> {
    if (this.#closed) throw new Error('the database is closed');
    const opening = (this.#opening ??= this.#open());
    try {
      return await opening;
    } catch (error) {
      if (this.#opening === opening) this.#opening = null;
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const dataSource = await this.#opening?.catch(() => null);
    if (dataSource?.isInitialized) await dataSource.destroy();
  }

  async #open(): Promise<DataSource> {
    const dataSource = new DataSource({
      type: 'postgres',
      url: this.url,
      schema: SCHEMA,
      entities: [sessionListEntity, repositoryListEntity, eventIndexEntity],
      migrations: [ReadModels1763856000000, SearchAndRepositories1763884800000, EventIndexAndSnapshots1764036000000, SessionLines1764041400000],
      migrationsTableName: 'migrations',
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      poolSize: POOL_SIZE,
      applicationName: 'bullpen-session',
      extra: { query_timeout: QUERY_TIMEOUT_MS, keepAlive: true },
      poolErrorHandler: (error: unknown) => this.logger.debug('idle database connection ended', { error }),
    });
    await dataSource.initialize();
    try {
      await migrate(dataSource);
      return dataSource;
    } catch (error) {
      await dataSource.destroy().catch(() => undefined);
      throw error;
    }
  }
}

/** One process at a time; the others find everything done. */
async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query(`SELECT pg_advisory_lock(${MIGRATION_LOCK})`);
    await runner.query(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`);
    await dataSource.runMigrations({ transaction: 'all' });
    await runner.query(`SELECT pg_advisory_unlock(${MIGRATION_LOCK})`);
  } finally {
    await runner.release();
  }
}
