import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { SERVICE_NODE_FLAGS, postgresUrl, prepareNats, preparePostgres, waitForNats, waitForPostgres } from '@bullpen/embedded';
import { Fault } from '@bullpen/errors';
import { SandboxOrchestratorService } from '@bullpen/contracts';
import { createRpcClient } from '@bullpen/rpc';

import { natsPasswords } from './given-servers.js';
import { CHECKOUT } from './home.js';
import { environmentOf, usesScriptedModel, type Installation } from './platform-environment.js';
import { PROCESS_NAMES, type ProcessName, type ServiceName } from './run-file.js';
import { localUrl } from './settings.js';
import type { Part } from './supervised-process.js';

const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 2_000;
const MODEL_READY_TIMEOUT_MS = 15_000;
const SERVICE_READY_TIMEOUT_MS = 60_000;
/** Sandboxes end in order in this time, whoever is asked to end them. */
const DRAIN_TIMEOUT_MS = 15_000;
const SERVICE_STOP_TIMEOUT_MS = 5_000;
const DRAIN_CALL_TIMEOUT_MS = DRAIN_TIMEOUT_MS + 3_000;

type PartOf = (installation: Installation) => Part | null;

/** Null: this installation brings its own, or runs its services the other way. */
const PARTS: Readonly<Record<ProcessName, PartOf>> = {
  postgres: postgresPart,
  nats: natsPart,
  scriptedModel: scriptedModelPart,
  platform: platformPart,
  orchestrator: orchestratorPart,
  session: sessionPart,
  gateway: gatewayPart,
};

/** In the order in which they start. */
export function partsOf(installation: Installation): Part[] {
  return PROCESS_NAMES.map((name) => PARTS[name](installation)).filter((part) => part !== null);
}

function postgresPart({ settings, home, ports, secrets }: Installation): Part | null {
  if (settings.DATABASE_URL !== undefined) return null;
  const access = { port: ports.postgres, password: secrets.postgres };
  return {
    name: 'postgres',
    title: 'Postgres',
    prepare: () => preparePostgres({ dataDir: home.postgres, ...access }),
    ready: () => waitForPostgres({ url: postgresUrl(access) }),
    // Fast and clean: clients are cut, nothing is lost.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 10_000,
  };
}

function natsPart(installation: Installation): Part | null {
  const { settings, home, ports, secrets } = installation;
  if (settings.NATS_URL !== undefined) return null;
  return {
    name: 'nats',
    title: 'NATS',
    prepare: () => prepareNats({ storeDir: home.nats, configFile: home.natsConfig, port: ports.nats, passwords: natsPasswords(secrets) }),
    ready: () => waitForNats({ port: ports.nats }),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 10_000,
  };
}

function scriptedModelPart({ settings, ports }: Installation): Part | null {
  if (!usesScriptedModel(settings)) return null;
  const main = join(CHECKOUT, 'apps', 'scripted-model', 'dist', 'main.js');
  const env = { SCRIPTED_MODEL_PORT: String(ports.scriptedModel) };
  return {
    name: 'scriptedModel',
    title: 'scripted model',
    prepare: async () => ({ command: process.execPath, args: [main], env }),
    ready: () => waitForHttp(`http://127.0.0.1:${ports.scriptedModel}/`, MODEL_READY_TIMEOUT_MS),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 3_000,
  };
}

function platformPart(installation: Installation): Part | null {
  if (installation.settings.BULLPEN_MODE !== 'standalone') return null;
  const main = join(CHECKOUT, 'apps', 'standalone', 'dist', 'platform.js');
  // Turns are ended and sandboxes stopped within the stop.
  const stopTimeoutMs = DRAIN_TIMEOUT_MS + SERVICE_STOP_TIMEOUT_MS;
  return servicePart(installation, { name: 'platform', title: 'platform', main, health: localUrl(installation.settings), stopTimeoutMs });
}

function orchestratorPart(installation: Installation): Part | null {
  if (installation.settings.BULLPEN_MODE !== 'processes') return null;
  const { ports, secrets } = installation;
  const health = `http://127.0.0.1:${ports.orchestratorHealth}`;
  const part = servicePart(installation, { name: 'orchestrator', title: 'sandbox orchestrator', main: mainOf('sandbox-orchestrator'), health });
  const url = `http://127.0.0.1:${ports.orchestratorGrpc}`;
  return { ...part, beforeStop: () => drain({ url, key: secrets.rpc }) };
}

function sessionPart(installation: Installation): Part | null {
  if (installation.settings.BULLPEN_MODE !== 'processes') return null;
  const health = `http://127.0.0.1:${installation.ports.sessionHealth}`;
  return servicePart(installation, { name: 'session', title: 'session service', main: mainOf('session'), health });
}

function gatewayPart(installation: Installation): Part | null {
  if (installation.settings.BULLPEN_MODE !== 'processes') return null;
  return servicePart(installation, { name: 'gateway', title: 'gateway', main: mainOf('gateway'), health: localUrl(installation.settings) });
}

interface ServiceProgram {
  readonly name: ServiceName;
  readonly title: string;
  readonly main: string;
  /** Where `/readyz` is. */
  readonly health: string;
  readonly stopTimeoutMs?: number;
}

function servicePart(installation: Installation, { name, title, main, health, stopTimeoutMs = SERVICE_STOP_TIMEOUT_MS }: ServiceProgram): Part {
  return {
    name,
    title,
    prepare: async () => ({ command: process.execPath, args: [...SERVICE_NODE_FLAGS, main], env: environmentOf(name, installation, process.env) }),
    ready: () => waitForHttp(`${health}/readyz`, SERVICE_READY_TIMEOUT_MS),
    stopSignal: 'SIGTERM',
    stopTimeoutMs,
  };
}

function mainOf(service: string): string {
  return join(CHECKOUT, 'services', service, 'dist', 'main.js');
}

/** While the session service still runs: it turns the sandboxes' last events into ends of turns. What does not answer has nothing to drain. */
async function drain({ url, key }: { readonly url: string; readonly key: string }): Promise<void> {
  const orchestrator = createRpcClient(SandboxOrchestratorService, { url, key, timeoutMs: DRAIN_CALL_TIMEOUT_MS });
  await orchestrator.drain({ timeoutMs: DRAIN_TIMEOUT_MS }).catch(() => undefined);
}

/** @throws Fault `supervisor.not-ready` with the last answer */
async function waitForHttp(url: string, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let last = 'no answer';
  do {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
      const body = await response.text();
      if (response.ok) return;
      last = `${response.status} ${body.slice(0, 500)}`;
    } catch (error) {
      last = error instanceof Error && error.cause !== undefined ? String(error.cause) : String(error);
    }
    await delay(POLL_MS);
  } while (Date.now() < deadline);
  throw new Fault('supervisor.not-ready', `${url} is not ready after ${timeoutMs} ms: ${last}`);
}
