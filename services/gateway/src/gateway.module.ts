import { Inject, Module } from '@nestjs/common';
import type { DynamicModule, OnModuleDestroy } from '@nestjs/common';

import { SandboxOrchestratorService, SessionService } from '@bullpen/contracts';
import { FolderObjectStore } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { createRpcClient } from '@bullpen/rpc';
import type { Logger } from '@bullpen/telemetry';

import { EventPages } from './adapters/log/event-pages.js';
import { SessionFeeds } from './adapters/log/session-feeds.js';
import { AgentsController } from './adapters/rest/agents.controller.js';
import { HealthController } from './adapters/rest/health.controller.js';
import { RepositoriesController } from './adapters/rest/repositories.controller.js';
import { SessionContentsController } from './adapters/rest/session-contents.controller.js';
import { SessionsController } from './adapters/rest/sessions.controller.js';
import { SignInController } from './adapters/rest/sign-in.controller.js';
import { TurnsController } from './adapters/rest/turns.controller.js';
import { createEventLocator } from './adapters/rpc/event-locator.js';
import {
  ORCHESTRATOR_CALLS,
  ORCHESTRATOR_CALL_TIMEOUT_MS,
  SESSION_CALLS,
  SESSION_CALL_TIMEOUT_MS,
} from './adapters/rpc/rpc.providers.js';
import type { SessionCalls } from './adapters/rpc/rpc.providers.js';
import { SessionReader } from './adapters/rpc/session-reader.js';
import { ListWatches } from './adapters/socket/list-watches.js';
import { SYNC_PARTS, SyncGateway } from './adapters/socket/sync.gateway.js';
import type { SyncParts } from './adapters/socket/sync.gateway.js';
import type { GatewayConfig } from './config.js';
import { EVENT_LOG, GATEWAY_CONFIG, LOGGER, OBJECT_STORE } from './tokens.js';

export interface GatewayParts {
  readonly config: GatewayConfig;
  readonly log: EventLog;
  readonly logger: Logger;
}

/** Every route there is. */
export const CONTROLLERS = [
  HealthController,
  AgentsController,
  SessionsController,
  TurnsController,
  SessionContentsController,
  RepositoriesController,
  SignInController,
] as const;

@Module({})
export class GatewayModule implements OnModuleDestroy {
  constructor(@Inject(SessionFeeds) private readonly feeds: SessionFeeds) {}

  static create({ config, log, logger }: GatewayParts): DynamicModule {
    const key = config.BULLPEN_RPC_KEY;
    return {
      module: GatewayModule,
      controllers: [...CONTROLLERS],
      providers: [
        { provide: GATEWAY_CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: EVENT_LOG, useValue: log },
        { provide: OBJECT_STORE, useFactory: () => new FolderObjectStore(config.BULLPEN_OBJECTS) },
        {
          provide: SESSION_CALLS,
          useFactory: () =>
            createRpcClient(SessionService, { url: config.SESSION_GRPC_URL, key, timeoutMs: SESSION_CALL_TIMEOUT_MS }),
        },
        {
          provide: ORCHESTRATOR_CALLS,
          useFactory: () =>
            createRpcClient(SandboxOrchestratorService, {
              url: config.ORCHESTRATOR_GRPC_URL,
              key,
              timeoutMs: ORCHESTRATOR_CALL_TIMEOUT_MS,
            }),
        },
        {
          provide: EventPages,
          useFactory: (calls: SessionCalls) => new EventPages(log, createEventLocator(calls, logger)),
          inject: [SESSION_CALLS],
        },
        {
          provide: SessionFeeds,
          useFactory: async () => {
            const feeds = new SessionFeeds(log, logger);
            await feeds.start();
            return feeds;
          },
        },
        {
          provide: SYNC_PARTS,
          useFactory: (feeds: SessionFeeds, sessions: SessionReader, calls: SessionCalls): SyncParts => {
            const lists = new ListWatches({ log, feeds, calls, logger });
            return { log, feeds, lists, sessions, logger };
          },
          inject: [SessionFeeds, SessionReader, SESSION_CALLS],
        },
        SessionReader,
        SyncGateway,
      ],
    };
  }

  async onModuleDestroy(): Promise<void> {
    await this.feeds.stop();
  }
}
