import type { DynamicModule, OnApplicationBootstrap, OnModuleDestroy, Provider } from '@nestjs/common';

import { connectEventLog } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { createCommandHandler, createPostgresProjectionStore, runProjection } from '@bullpen/eventsourcing';
import type { CommandHandler, Projection } from '@bullpen/eventsourcing';
import { startHealthServer } from '@bullpen/rpc';
import type { HealthCheck, HealthServer } from '@bullpen/rpc';
import type { Logger } from '@bullpen/telemetry';

import { createRepositoryProbe } from './adapters/grpc/repository-probe.js';
import { EVENT_LOG, SESSION_LIST, SESSION_READER, SessionController } from './adapters/grpc/session.controller.js';
import { createSessionReader } from './adapters/nats/session-reader.js';
import { TurnProcessRunner } from './adapters/nats/turn-process.runner.js';
import { Database } from './adapters/postgres/database.js';
import { SCHEMA, sessionListEntity } from './adapters/postgres/session-list.entity.js';
import { createSessionList } from './adapters/postgres/session-list.js';
import { createTurnCheckpoints } from './adapters/postgres/turn-checkpoints.js';
import { surroundings } from './adapters/surroundings.js';
import type { SessionConfig } from './config.js';
import type { SessionReader } from './core/ports.js';
import { repositoryDecider } from './core/repository.decider.js';
import { SessionOperations } from './core/session-operations.js';
import { sessionListProjector } from './core/session-list.projector.js';
import type { SessionCommand } from './core/session.commands.js';
import { sessionDecider } from './core/session.decider.js';
import type { SessionAggregate } from './core/session.decider.js';
import type { SessionCoreEvent } from './core/session.events.js';

type Sessions = CommandHandler<SessionAggregate, SessionCommand, SessionCoreEvent>;

const NATS_USER = 'session';
const AGENTS: readonly string[] = ['pi'];
const DEFAULT_AGENT = 'pi';
const SESSIONS = Symbol('Sessions');

/** Wires the service; connects to the log, and to Postgres once it can be reached. */
export function createSessionModule(config: SessionConfig, logger: Logger): DynamicModule {
  return {
    module: class SessionModule {},
    controllers: [SessionController],
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
      operationsProvider(config),
      {
        provide: BackgroundWork,
        useFactory: (log: EventLog, database: Database, sessions: Sessions) => 
          new BackgroundWork({ log, database, sessions, logger, healthPort: config.SESSION_HEALTH_PORT ?? null }),
        inject: [EVENT_LOG, Database, SESSIONS],
      },
    ],
  };
}

function connectLog(config: SessionConfig, logger: Logger): Promise<EventLog> {
  return connectEventLog({ url: config.NATS_URL, user: NATS_USER, password: config.SESSION_NATS_PASSWORD, logger });
}

function createSessions(log: EventLog): Sessions {
  return createCommandHandler({ log, decider: sessionDecider, lane: (id) => ({ entity: 'session', id, name: 'core' }) });
}

function operationsProvider(config: SessionConfig): Provider {
  return {
    provide: SessionOperations,
    useFactory: (log: EventLog, sessions: Sessions, reader: SessionReader) =>
      new SessionOperations({
        sessions,
        repositories: createCommandHandler({
          log,
          decider: repositoryDecider,
          lane: (id) => ({ entity: 'repository', id, name: 'core' }),
        }),
        probe: createRepositoryProbe({ url: config.ORCHESTRATOR_GRPC_URL, key: config.BULLPEN_RPC_KEY }),
        reader,
        surroundings,
        defaults: {
          sampleRepository: config.BULLPEN_SAMPLE_REPOSITORY,
          agents: AGENTS,
          agent: DEFAULT_AGENT,
          model: config.BULLPEN_MODEL,
          modelProvider: config.BULLPEN_MODEL_PROVIDER,
        },
      }),
    inject: [EVENT_LOG, SESSIONS, SESSION_READER],
  };
}

interface BackgroundParts {
  readonly log: EventLog;
  readonly database: Database;
  readonly sessions: Sessions;
  readonly logger: Logger;
  /** Null: none is asked for. */
  readonly healthPort: number | null;
}

/** The turn process, the list projection and the health endpoint; what they use is closed after them. */
class BackgroundWork implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #turns: TurnProcessRunner;
  #list: Projection | null = null;
  #health: HealthServer | null = null;

  constructor(private readonly parts: BackgroundParts) {
    const { log, database, sessions, logger } = parts;
    const checkpoints = createTurnCheckpoints(database);
    this.#turns = new TurnProcessRunner({ log, sessions, checkpoints, surroundings, logger });
  }

  async onApplicationBootstrap(): Promise<void> {
    const { log, database, logger, healthPort: port } = this.parts;
    const dataSource = (): ReturnType<Database['dataSource']> => database.dataSource();
    const store = createPostgresProjectionStore({ dataSource, schema: SCHEMA, rows: sessionListEntity, key: 'sessionId' });
    this.#turns.start();
    this.#list = runProjection({ log, projector: sessionListProjector, store, logger });
    if (port !== null) this.#health = await startHealthServer({ port, checks: this.#checks() });
  }

  async onModuleDestroy(): Promise<void> {
    await this.#health?.close();
    await Promise.all([this.#turns.stop(), this.#list?.stop()]);
    await this.parts.database.close();
    await this.parts.log.close();
  }

  /** Turns go on without Postgres; only the list does not. */
  #checks(): HealthCheck[] {
    const { log, database } = this.parts;
    return [
      { name: 'log', passes: () => log.lastSequence() },
      { name: 'postgres', optional: true, passes: async () => (await database.dataSource()).query('SELECT 1') },
      { name: 'session-list', optional: true, passes: async () => this.#list?.status.healthy === true },
    ];
  }
}
