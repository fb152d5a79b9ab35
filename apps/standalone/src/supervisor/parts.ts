import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { postgresUrl, prepareNats, preparePostgres, waitForNats, waitForPostgres } from '@bullpen/embedded';
import { Fault } from '@bullpen/errors';
import { ensureEventStream } from '@bullpen/event-log';
import type { NatsPasswords } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import { CHECKOUT, type Secrets } from './home.js';
import { natsUrl, platformEnvironment, usesScriptedModel, type Installation } from './platform-environment.js';
import { PROCESS_NAMES, type ProcessName } from './run-file.js';
import { localUrl } from './settings.js';
import type { Part } from './supervised-process.js';

const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 2_000;
const MODEL_READY_TIMEOUT_MS = 15_000;
const PLATFORM_READY_TIMEOUT_MS = 60_000;

type PartOf = (installation: Installation) => Part | null;

/** Null: this installation brings its own. */
const PARTS: Readonly<Record<ProcessName, PartOf>> = {
  postgres: postgresPart,
  nats: natsPart,
  scriptedModel: scriptedModelPart,
  platform: platformPart,
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

/** The stream that is the log: made when missing, checked otherwise. */
export async function prepareEventStream(installation: Installation): Promise<void> {
  const password = process.env['NATS_ADMIN_PASSWORD'] ?? installation.secrets.natsAdmin;
  await ensureEventStream({ url: natsUrl(installation), password, logger: silentLogger });
}

function natsPasswords({ natsSession, natsOrchestrator, natsGateway, natsAdmin }: Secrets): NatsPasswords {
  return { session: natsSession, orchestrator: natsOrchestrator, gateway: natsGateway, admin: natsAdmin };
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

function platformPart(installation: Installation): Part {
  const main = join(CHECKOUT, 'apps', 'standalone', 'dist', 'platform.js');
  return {
    name: 'platform',
    title: 'platform',
    prepare: async () => ({ command: process.execPath, args: ['--enable-source-maps', main], env: platformEnvironment(installation, process.env) }),
    ready: () => waitForHttp(`${localUrl(installation.settings)}/readyz`, PLATFORM_READY_TIMEOUT_MS),
    stopSignal: 'SIGTERM',
    // Turns are ended and sandboxes stopped in this time.
    stopTimeoutMs: 20_000,
  };
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
