import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Controller, Module } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import { SessionService } from '@bullpen/contracts';
import type { StoredEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import { FolderObjectStore } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { startRpcServer } from '@bullpen/rpc';
import { SESSION_MODEL, foldSession } from '@bullpen/session-model';
import { silentLogger } from '@bullpen/telemetry';

import { loadGatewayConfig } from '../src/config.js';
import { serveGateway } from '../src/gateway.js';

export const SESSION_ID = '0001arz3ndektsv4rrffq69g5fav';
export const TOKEN = 'token-of-the-test-0123456789';
const RPC_KEY = 'rpc-key';

type Calls = Record<string, (request: Record<string, unknown>) => object | Promise<object>>;

/** A session service that answers what a test says, and folds the test's log. */
function sessionModule(calls: Calls) {
  @Controller()
  class SessionController {}
  for (const { name } of SessionService.methods) {
    const method = (request: Record<string, unknown>): object | Promise<object> => {
      const answer = calls[name];
      if (answer === undefined) throw new Error(`the test expects no ${name}`);
      return answer(request);
    };
    Object.defineProperty(SessionController.prototype, name, { value: method, writable: true, configurable: true });
    const descriptor = Object.getOwnPropertyDescriptor(SessionController.prototype, name);
    if (descriptor !== undefined) GrpcMethod('SessionService', name)(SessionController.prototype, name, descriptor);
  }
  @Module({ controllers: [SessionController] })
  class SessionModule {}
  return SessionModule;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function event(type: string, data: StoredEvent['data'], turnId?: string): StoredEvent {
  const at = '2026-11-23T07:00:00.000Z';
  return { type, v: 1, at, actor: { kind: 'user', id: 'local', name: 'Ada' }, ...(turnId === undefined ? {} : { turnId }), data };
}

export interface TestGateway {
  readonly url: string;
  readonly port: number;
  readonly objects: FolderObjectStore;
  /** Replace answers of the session service at any time. */
  readonly calls: Calls;
  stop(): Promise<void>;
}

/** `more`: variables of the configuration besides those that every gateway needs. */
export async function startTestGateway(log: EventLog, more: Readonly<Record<string, string>> = {}): Promise<TestGateway> {
  const calls: Calls = {
    GetSession: async ({ sessionId }) => {
      const events = [];
      for await (const each of log.readSession(String(sessionId), { after: '0' })) events.push(each);
      if (events.length === 0) throw new Rejection('session.not-found', 'No such session.');
      const state = foldSession(String(sessionId), events);
      return { stateJson: JSON.stringify(state), head: state.head, model: SESSION_MODEL };
    },
  };
  const rpcPort = await freePort();
  const rpc = await startRpcServer({
    module: sessionModule(calls),
    package: 'bullpen.session.v1',
    port: rpcPort,
    key: RPC_KEY,
    logger: silentLogger,
  });
  const folder = await mkdtemp(join(tmpdir(), 'bullpen-gateway-'));
  const port = await freePort();
  const config = loadGatewayConfig({
    NATS_URL: 'nats://unused',
    GATEWAY_NATS_PASSWORD: 'unused',
    BULLPEN_RPC_KEY: RPC_KEY,
    BULLPEN_OBJECTS: folder,
    BULLPEN_PORT: String(port),
    BULLPEN_TOKEN: TOKEN,
    SESSION_GRPC_URL: `http://127.0.0.1:${rpcPort}`,
    ORCHESTRATOR_GRPC_URL: `http://127.0.0.1:${await freePort()}`,
    BULLPEN_USER_NAME: 'Ada',
    BULLPEN_USER_EMAIL: 'ada@example.org',
    BULLPEN_MODEL_PROVIDER: 'scripted',
    BULLPEN_MODEL: 'scripted-1',
    BULLPEN_ALLOWED_HOSTS: 'bullpen.example.org',
    ...more,
  });
  const app = await serveGateway(config, log, silentLogger);
  const stop = async (): Promise<void> => {
    await app.close();
    await rpc.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, port, objects: new FolderObjectStore(folder), calls, stop };
}
