import type { EventLog } from '@bullpen/event-log';
import { createPostgresProjectionStore, runProjection } from '@bullpen/eventsourcing';
import type { PostgresProjectionOptions, ProjectedEvent, Projection, ProjectionOptions, ProjectionStatus, Projector } from '@bullpen/eventsourcing';
import type { HealthCheck } from '@bullpen/rpc';
import type { Logger } from '@bullpen/telemetry';

import { SnapshotKeeper } from './adapters/nats/snapshot-keeper.js';
import type { Database } from './adapters/postgres/database.js';
import { createErasableRows } from './adapters/postgres/erasable-rows.js';
import { eventIndexEntity } from './adapters/postgres/event-index.entity.js';
import { repositoryListEntity } from './adapters/postgres/repository-list.entity.js';
import { SCHEMA, sessionListEntity } from './adapters/postgres/session-list.entity.js';
import { createTurnCheckpoints } from './adapters/postgres/turn-checkpoints.js';
import { eventIndexProjector } from './core/event-index.projector.js';
import type { ErasableRows, SessionReader, SessionSnapshots, TurnCheckpoints } from './core/ports.js';
import { repositoryListProjector } from './core/repository-list.projector.js';
import { sessionListProjector } from './core/session-list.projector.js';

export interface ReadModelParts {
  readonly log: EventLog;
  readonly database: Database;
  readonly url: string;
  readonly reader: SessionReader;
  readonly snapshots: SessionSnapshots;
  readonly logger: Logger;
}

/** All that this service has in Postgres, every row made from the log. Closes the database when it is stopped. */
export class ReadModels {
  readonly checkpoints: TurnCheckpoints;
  readonly rows: ErasableRows;
  readonly #keeper: SnapshotKeeper;
  readonly #projections = new Map<string, Projection>();

  constructor(private readonly parts: ReadModelParts) {
    const { database, url, log, reader, snapshots, logger } = parts;
    this.checkpoints = createTurnCheckpoints(database);
    this.rows = createErasableRows(database, { url, epoch: log.epoch });
    const isActive = (): boolean => this.#status('event-index')?.state === 'active';
    this.#keeper = new SnapshotKeeper({ reader, snapshots, isActive, logger });
  }

  start(): void {
    this.#project('session-list', sessionListProjector, { rows: sessionListEntity, key: 'sessionId' });
    this.#project('repository-list', repositoryListProjector, { rows: repositoryListEntity, key: 'repositoryId' });
    this.#project('event-index', eventIndexProjector, { rows: eventIndexEntity, key: 'sessionId', isUnhurried: true });
    this.#keeper.start();
  }

  checks(): HealthCheck[] {
    const { database } = this.parts;
    const names = [...this.#projections.keys()];
    return [
      { name: 'postgres', optional: true, passes: async () => (await database.dataSource()).query('SELECT 1') },
      ...names.map((name) => ({ name, optional: true, passes: async () => this.#status(name)?.healthy === true })),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all([this.#keeper.stop(), ...[...this.#projections.values()].map((projection) => projection.stop())]);
    await this.parts.database.close();
  }

  #project<Row extends object>(
    name: string,
    projector: Projector<ProjectedEvent, Row>,
    { isUnhurried = false, ...table }: Pick<PostgresProjectionOptions<Row>, 'rows' | 'key'> & Pick<ProjectionOptions<ProjectedEvent, Row>, 'isUnhurried'>,
  ): void {
    const { log, database, logger } = this.parts;
    const store = createPostgresProjectionStore({ dataSource: () => database.dataSource(), schema: SCHEMA, ...table });
    this.#projections.set(name, runProjection({ log, projector, store, logger, isUnhurried }));
  }

  #status(name: string): ProjectionStatus | undefined {
    return this.#projections.get(name)?.status;
  }
}
