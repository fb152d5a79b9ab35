import { setTimeout as delay } from 'node:timers/promises';

import type { DynamicModule, OnApplicationBootstrap, OnModuleDestroy, Provider } from '@nestjs/common';

import { LOCAL_ORGANISATION_ID } from '@bullpen/auth';
import { Rejection } from '@bullpen/errors';
import { connectEventLog } from '@bullpen/event-log';
import type { EventLog, Lane } from '@bullpen/event-log';
import { createCommandHandler } from '@bullpen/eventsourcing';
import type { CommandHandler } from '@bullpen/eventsourcing';
import { startHealthServer } from '@bullpen/rpc';
import type { HealthCheck, HealthServer } from '@bullpen/rpc';
import type { Logger } from '@bullpen/telemetry';

import { countTurns } from './adapters/counted-turns.js';
import { createDiskRoom } from './adapters/disk-room.js';
import { EVENT_INDEX, EventIndexController } from './adapters/grpc/event-index.controller.js';
import { createRepositoryProbe } from './adapters/grpc/repository-probe.js';
import { REPOSITORY_LIST, RepositoryController } from './adapters/grpc/repository.controller.js';
import { EVENT_LOG, SESSION_LIST, SESSION_READER, SessionController } from './adapters/grpc/session.controller.js';
import { DeletionRunner } from './adapters/nats/deletion.runner.js';
import { createSessionReader } from './adapters/nats/session-reader.js';
import { PLATFORM_ACTOR, TurnProcessRunner } from './adapters/nats/turn-process.runner.js';
import { Database } from './adapters/postgres/database.js';
import { createEventIndex } from './adapters/postgres/event-index.js';
import { createRepositoryList } from './adapters/postgres/repository-list.js';
import { createSessionList } from './adapters/postgres/session-list.js';
import { createSessionSnapshots } from './adapters/postgres/session-snapshots.js';
import { surroundings } from './adapters/surroundings.js';
import type { SessionConfig } from './config.js';
import type { Caller } from './core/caller.js';
import type { SessionReader, SessionSnapshots } from './core/ports.js';
import { RepositoryOperations } from './core/repository-operations.js';
import { repositoryDecider } from './core/repository.decider.js';
import { SessionOperations } from './core/session-operations.js';
import type { SessionCommand } from './core/session.commands.js';
import { sessionDecider } from './core/session.decider.js';
import type { SessionAggregate } from './core/session.aggregate.js';
import type { SessionCoreEvent } from './core/session.events.js';
import { ReadModels } from './read-models.js';

type Sessions = CommandHandler<SessionAggregate, SessionCommand, SessionCoreEvent>;

const NATS_USER = 'session';
const AGENTS: readonly string[] = ['pi'];
const DEFAULT_AGENT = 'pi';
const SESSIONS = Symbol('Sessions');
const SNAPSHOTS = Symbol('SessionSnapshots');
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
    controllers: [SessionController, RepositoryController, EventIndexController],
    providers: [
      { provide: EVENT_LOG, useFactory: () => connectLog(config, logger) },
      { provide: Database, useFactory: () => new Database(config.DATABASE_URL, logger) },
      { provide: SESSIONS, useFactory: createSessions, inject: [EVENT_LOG] },
      readFromPostgres(SNAPSHOTS, createSessionSnapshots),
      readFromPostgres(EVENT_INDEX, createEventIndex),
      readFromPostgres(SESSION_LIST, createSessionList),
      readFromPostgres(REPOSITORY_LIST, createRepositoryList),
      {
        provide: SESSION_READER,
        useFactory: (log: EventLog, snapshots: SessionSnapshots) => createSessionReader({ log, snapshots, logger }),
        inject: [EVENT_LOG, SNAPSHOTS],
      },
      repositoriesProvider(config),
      operationsProvider(config),
      {
        provide: ReadModels,
        useFactory: (log: EventLog, database: Database, reader: SessionReader, snapshots: SessionSnapshots) =>
          new ReadModels({ log, database, reader, snapshots, url: config.DATABASE_URL, logger }),
        inject: [EVENT_LOG, Database, SESSION_READER, SNAPSHOTS],
      },
      {
        provide: BackgroundWork,
        useFactory: (log: EventLog, readModels: ReadModels, sessions: Sessions, repositories: RepositoryOperations) => {
          const healthPort = config.SESSION_HEALTH_PORT ?? null;
          return new BackgroundWork({ log, readModels, sessions, repositories, logger, healthPort });
        },
        inject: [EVENT_LOG, ReadModels, SESSIONS, RepositoryOperations],
      },
    ],
  };
}

function connectLog(config: SessionConfig, logger: Logger): Promise<EventLog> {
  return connectEventLog({ url: config.NATS_URL, user: NATS_USER, password: config.SESSION_NATS_PASSWORD, logger });
}

/** A position, or a snapshot, of another log says nothing about this one. */
function readFromPostgres<Model>(provide: symbol, create: (database: Database, epoch: string) => Model): Provider {
  return { provide, useFactory: (database: Database, log: EventLog) => create(database, log.epoch), inject: [Database, EVENT_LOG] };
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
  readonly readModels: ReadModels;
  readonly sessions: Sessions;
  readonly repositories: RepositoryOperations;
  readonly logger: Logger;
  /** Null: none is asked for. */
  readonly healthPort: number | null;
}

/** The turn process, the read models, the sample and the health endpoint; what they use is closed after them. */
class BackgroundWork implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #turns: TurnProcessRunner;
  readonly #deletions: DeletionRunner;
  readonly #stopping = new AbortController();
  #sample: Promise<void> = Promise.resolve();
  #health: HealthServer | null = null;

  constructor(private readonly parts: BackgroundParts) {
    const { log, readModels, sessions, logger } = parts;
    const { checkpoints, rows } = readModels;
    this.#turns = new TurnProcessRunner({ log, sessions, checkpoints, surroundings, logger });
    this.#deletions = new DeletionRunner({ log, sessions, rows, surroundings, logger });
  }

  async onApplicationBootstrap(): Promise<void> {
    const { log, readModels, healthPort: port } = this.parts;
    this.#turns.start();
    this.#deletions.start();
    readModels.start();
    this.#sample = this.#addSample();
    // Turns go on without Postgres; only what is read from it does not.
    const checks: HealthCheck[] = [{ name: 'log', passes: () => log.lastSequence() }, ...readModels.checks()];
    if (port !== null) this.#health = await startHealthServer({ port, checks });
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopping.abort();
    await this.#health?.close();
    await Promise.all([this.#turns.stop(), this.#deletions.stop(), this.#sample]);
    await this.parts.readModels.stop();
    await this.parts.log.close();
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
