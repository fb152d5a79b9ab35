import { setTimeout as delay } from 'node:timers/promises';

import type { DynamicModule, OnApplicationBootstrap, OnModuleDestroy, Provider } from '@nestjs/common';

import { LOCAL_ORGANISATION_ID } from '@bullpen/auth';
import { Rejection } from '@bullpen/errors';
import { connectEventLog } from '@bullpen/event-log';
import type { EventLog, Lane } from '@bullpen/event-log';
import { createCommandHandler, createPostgresProjectionStore, runProjection } from '@bullpen/eventsourcing';
import type { CommandHandler, Projection } from '@bullpen/eventsourcing';
import { startHealthServer } from '@bullpen/rpc';
import type { HealthCheck, HealthServer } from '@bullpen/rpc';
import type { Logger } from '@bullpen/telemetry';

import { countTurns } from './adapters/counted-turns.js';
import { createDiskRoom } from './adapters/disk-room.js';
import { createRepositoryProbe } from './adapters/grpc/repository-probe.js';
import { REPOSITORY_LIST, RepositoryController } from './adapters/grpc/repository.controller.js';
import { EVENT_LOG, SESSION_LIST, SESSION_READER, SessionController } from './adapters/grpc/session.controller.js';
import { DeletionRunner } from './adapters/nats/deletion.runner.js';
import { createSessionReader } from './adapters/nats/session-reader.js';
import { PLATFORM_ACTOR, TurnProcessRunner } from './adapters/nats/turn-process.runner.js';
import { Database } from './adapters/postgres/database.js';
import { createErasableRows } from './adapters/postgres/erasable-rows.js';
import { repositoryListEntity } from './adapters/postgres/repository-list.entity.js';
import { createRepositoryList } from './adapters/postgres/repository-list.js';
import { SCHEMA, sessionListEntity } from './adapters/postgres/session-list.entity.js';
import { createSessionList } from './adapters/postgres/session-list.js';
import { createTurnCheckpoints } from './adapters/postgres/turn-checkpoints.js';
import { surroundings } from './adapters/surroundings.js';
import type { SessionConfig } from './config.js';
import type { Caller } from './core/caller.js';
import type { ErasableRows, SessionReader } from './core/ports.js';
import { repositoryListProjector } from './core/repository-list.projector.js';
import { RepositoryOperations } from './core/repository-operations.js';
import { repositoryDecider } from './core/repository.decider.js';
import { SessionOperations } from './core/session-operations.js';
import { sessionListProjector } from './core/session-list.projector.js';
import type { SessionCommand } from './core/session.commands.js';
import { sessionDecider } from './core/session.decider.js';
import type { SessionAggregate } from './core/session.aggregate.js';
import type { SessionCoreEvent } from './core/session.events.js';

type Sessions = CommandHandler<SessionAggregate, SessionCommand, SessionCoreEvent>;

const NATS_USER = 'session';
const AGENTS: readonly string[] = ['pi'];
const DEFAULT_AGENT = 'pi';
const SESSIONS = Symbol('Sessions');
const SAMPLE_RETRY_MS = 1_000;
/** Each try runs git; somebody has to mend the sample first. */
const SAMPLE_REFUSED_RETRY_MS = 60_000;
const SAMPLE_OWNER: Caller = {
  organisationId: LOCAL_ORGANISATION_ID,
  actor: PLATFORM_ACTOR,
  email: '',
  idempotencyKey: '',
  traceparent: '',
};

/** Wires the service; connects to the log, and to Postgres once it can be reached. */
export function createSessionModule(config: SessionConfig, logger: Logger): DynamicModule {
  return {
    module: class SessionModule {},
    controllers: [SessionController, RepositoryController],
    providers: [
      { provide: EVENT_LOG, useFactory: () => connectLog(config, logger) },
      { provide: Database, useFactory: () => new Database(config.DATABASE_URL, logger) },
      { provide: SESSIONS, useFactory: createSessions, inject: [EVENT_LOG] },
      { provide: SESSION_READER, useFactory: createSessionReader, inject: [EVENT_LOG] },
      {
        provide: SESSION_LIST,
        useFactory: (database: Database, log: EventLog) => createSessionList(database, log.epoch),
        inject: [Database, EVENT_LOG],
      },
      {
        provide: REPOSITORY_LIST,
        useFactory: (database: Database, log: EventLog) => createRepositoryList(database, log.epoch),
        inject: [Database, EVENT_LOG],
      },
      repositoriesProvider(config),
      operationsProvider(config),
      {
        provide: BackgroundWork,
        useFactory: (log: EventLog, database: Database, sessions: Sessions, repositories: RepositoryOperations) => {
          const healthPort = config.SESSION_HEALTH_PORT ?? null;
          const rows = createErasableRows(database, { url: config.DATABASE_URL, epoch: log.epoch });
          return new BackgroundWork({ log, database, sessions, repositories, rows, logger, healthPort });
        },
        inject: [EVENT_LOG, Database, SESSIONS, RepositoryOperations],
      },
    ],
  };
}

function connectLog(config: SessionConfig, logger: Logger): Promise<EventLog> {
  return connectEventLog({ url: config.NATS_URL, user: NATS_USER, password: config.SESSION_NATS_PASSWORD, logger });
}

function createSessions(log: EventLog): Sessions {
  return countTurns(createCommandHandler({ log, decider: sessionDecider, lane: (id) => ({ entity: 'session', id, name: 'core' }) }));
}

function repositoriesProvider(config: SessionConfig): Provider {
  return {
    provide: RepositoryOperations,
    useFactory: (log: EventLog) => {
      const lane = (id: string): Lane => ({ entity: 'repository', id, name: 'core' });
      return new RepositoryOperations({
        repositories: createCommandHandler({ log, decider: repositoryDecider, lane }),
        probe: createRepositoryProbe({ url: config.ORCHESTRATOR_GRPC_URL, key: config.BULLPEN_RPC_KEY }),
        surroundings,
        sampleRepository: config.BULLPEN_SAMPLE_REPOSITORY,
      });
    },
    inject: [EVENT_LOG],
  };
}

function operationsProvider(config: SessionConfig): Provider {
  return {
    provide: SessionOperations,
    useFactory: (repositories: RepositoryOperations, sessions: Sessions, reader: SessionReader) =>
      new SessionOperations({
        sessions,
        repositories,
        reader,
        room: createDiskRoom(config.BULLPEN_DATA ?? null),
        surroundings,
        defaults: {
          agents: AGENTS,
          agent: DEFAULT_AGENT,
          model: config.BULLPEN_MODEL,
          modelProvider: config.BULLPEN_MODEL_PROVIDER,
        },
      }),
    inject: [RepositoryOperations, SESSIONS, SESSION_READER],
  };
}

interface BackgroundParts {
  readonly log: EventLog;
  readonly database: Database;
  readonly sessions: Sessions;
  readonly repositories: RepositoryOperations;
  readonly rows: ErasableRows;
  readonly logger: Logger;
  /** Null: none is asked for. */
  readonly healthPort: number | null;
}

/** The turn process, the projections of the lists, the sample and the health endpoint; what they use is closed after them. */
class BackgroundWork implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #turns: TurnProcessRunner;
  readonly #deletions: DeletionRunner;
  readonly #stopping = new AbortController();
  #lists: readonly Projection[] = [];
  #sample: Promise<void> = Promise.resolve();
  #health: HealthServer | null = null;

  constructor(private readonly parts: BackgroundParts) {
    const { log, database, sessions, rows, logger } = parts;
    const checkpoints = createTurnCheckpoints(database);
    this.#turns = new TurnProcessRunner({ log, sessions, checkpoints, surroundings, logger });
    this.#deletions = new DeletionRunner({ log, sessions, rows, surroundings, logger });
  }

  async onApplicationBootstrap(): Promise<void> {
    const { log, database, logger, healthPort: port } = this.parts;
    const dataSource = (): ReturnType<Database['dataSource']> => database.dataSource();
    const sessions = createPostgresProjectionStore({ dataSource, schema: SCHEMA, rows: sessionListEntity, key: 'sessionId' });
    const repositories = createPostgresProjectionStore({ dataSource, schema: SCHEMA, rows: repositoryListEntity, key: 'repositoryId' });
    this.#turns.start();
    this.#deletions.start();
    this.#lists = [
      runProjection({ log, projector: sessionListProjector, store: sessions, logger }),
      runProjection({ log, projector: repositoryListProjector, store: repositories, logger }),
    ];
    this.#sample = this.#addSample();
    if (port !== null) this.#health = await startHealthServer({ port, checks: this.#checks() });
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    await this.#health?.close();
    await Promise.all([this.#turns.stop(), this.#deletions.stop(), this.#sample, ...this.#lists.map((list) => list.stop())]);
    await this.parts.database.close();
    await this.parts.log.close();
  }

  /** Turns go on without Postgres; only the lists do not. */
  #checks(): HealthCheck[] {
    const { log, database } = this.parts;
    const [sessions, repositories] = this.#lists;
    return [
      { name: 'log', passes: () => log.lastSequence() },
      { name: 'postgres', optional: true, passes: async () => (await database.dataSource()).query('SELECT 1') },
      { name: 'session-list', optional: true, passes: async () => sessions?.status.healthy === true },
      { name: 'repository-list', optional: true, passes: async () => repositories?.status.healthy === true },
    ];
  }

  /** The orchestrator, which looks at it, may start later than this service. */
  async #addSample(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await this.parts.repositories.addSample(SAMPLE_OWNER);
      } catch (error) {
        const isRefused = error instanceof Rejection;
        const retryMs = isRefused ? SAMPLE_REFUSED_RETRY_MS : SAMPLE_RETRY_MS;
        this.parts.logger[isRefused ? 'warn' : 'debug']('the sample cannot be added yet', { retryMs, error });
        await delay(retryMs, undefined, { signal, ref: false }).catch(() => undefined);
      }
    }
  }
}
