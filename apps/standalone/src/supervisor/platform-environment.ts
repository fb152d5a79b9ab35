import { join } from 'node:path';

import { postgresUrl } from '@bullpen/embedded';

import { CHECKOUT, type Home, type Secrets } from './home.js';
import type { Ports, ServiceName } from './run-file.js';
import type { Settings } from './settings.js';

/** Taken over from the person's environment when set; nothing else is. */
const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SSH_AUTH_SOCK',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'GIT_SSL_CAINFO',
  'BULLPEN_ALLOWED_HOSTS',
  'BULLPEN_LOG_LEVEL',
  'BULLPEN_ISOLATION',
  'BULLPEN_PRIVATE_HOSTS',
  'SESSION_NATS_PASSWORD',
  'ORCHESTRATOR_NATS_PASSWORD',
  'GATEWAY_NATS_PASSWORD',
  // Where services and sandboxes reach one another, when something stands between them.
  'SESSION_GRPC_URL',
  'ORCHESTRATOR_GRPC_URL',
  'ORCHESTRATOR_LINK_URL',
] as const;

/** As pi chooses for this provider. */
const ANTHROPIC_MODEL = 'claude-opus-4-8';
const ANTHROPIC_ADDRESS = 'https://api.anthropic.com';
const SCRIPTED_MODEL = 'scripted-1';

export interface Installation {
  readonly settings: Settings;
  readonly home: Home;
  readonly secrets: Secrets;
  readonly token: string;
  readonly user: { readonly name: string; readonly email: string };
  readonly ports: Ports;
}

export function usesScriptedModel({ ANTHROPIC_API_KEY }: Settings): boolean {
  return ANTHROPIC_API_KEY === undefined;
}

/** Which model answers, and where it is asked, for a person to read. */
export function modelInUse(settings: Settings): { readonly model: string; readonly address: string | null } {
  if (usesScriptedModel(settings)) return { model: SCRIPTED_MODEL, address: null };
  const { origin, pathname } = new URL(settings.ANTHROPIC_BASE_URL ?? ANTHROPIC_ADDRESS);
  return { model: settings.BULLPEN_MODEL ?? ANTHROPIC_MODEL, address: `${origin}${pathname}`.replace(/\/$/, '') };
}

export function natsUrl({ settings, ports }: Pick<Installation, 'settings' | 'ports'>): string {
  return settings.NATS_URL ?? `nats://127.0.0.1:${ports.nats}`;
}

/** Where each service runs alone, nobody but these gets it. */
const HOLDERS_OF: Readonly<Record<string, ServiceName>> = {
  SESSION_NATS_PASSWORD: 'session',
  DATABASE_URL: 'session',
  ORCHESTRATOR_NATS_PASSWORD: 'orchestrator',
  BULLPEN_SANDBOX_KEY: 'orchestrator',
  ANTHROPIC_API_KEY: 'orchestrator',
  GATEWAY_NATS_PASSWORD: 'gateway',
  BULLPEN_TOKEN: 'gateway',
  BULLPEN_WEB: 'gateway',
  BULLPEN_SIGN_IN_CODES: 'gateway',
};

/** The whole environment of one service, or of all of them in one process. */
export function environmentOf(service: ServiceName, installation: Installation, from: NodeJS.ProcessEnv): Record<string, string> {
  const everything = platformEnvironment(installation, from);
  if (service === 'platform') return everything;
  const isFor = (name: string): boolean => (HOLDERS_OF[name] ?? service) === service;
  const healthPorts = { SESSION_HEALTH_PORT: installation.ports.sessionHealth, ORCHESTRATOR_HEALTH_PORT: installation.ports.orchestratorHealth };
  const health = Object.entries(healthPorts).map(([name, port]) => [name, String(port)] as const);
  return Object.fromEntries([...Object.entries(everything), ...health].filter(([name]) => isFor(name)));
}

function platformEnvironment(installation: Installation, from: NodeJS.ProcessEnv): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => (from[name] ? [[name, from[name]] as const] : []));
  return {
    ...storeEnvironment(installation),
    ...serviceEnvironment(installation),
    ...sandboxEnvironment(installation),
    ...modelEnvironment(installation),
    ...Object.fromEntries(passed),
  };
}

function storeEnvironment(installation: Installation): Record<string, string> {
  const { settings, ports, secrets, home } = installation;
  return {
    NATS_URL: natsUrl(installation),
    DATABASE_URL: settings.DATABASE_URL ?? postgresUrl({ port: ports.postgres, password: secrets.postgres }),
    BULLPEN_OBJECTS: home.objects,
    BULLPEN_DATA: home.folder,
    SESSION_NATS_PASSWORD: secrets.natsSession,
    ORCHESTRATOR_NATS_PASSWORD: secrets.natsOrchestrator,
    GATEWAY_NATS_PASSWORD: secrets.natsGateway,
  };
}

function serviceEnvironment({ settings, ports, secrets, token, user, home }: Installation): Record<string, string> {
  return {
    BULLPEN_HOST: settings.BULLPEN_HOST,
    BULLPEN_PORT: String(settings.BULLPEN_PORT),
    BULLPEN_TOKEN: token,
    BULLPEN_WEB: join(CHECKOUT, 'apps', 'web', 'dist', 'site'),
    BULLPEN_SIGN_IN_CODES: home.signInCodes,
    BULLPEN_USER_NAME: user.name,
    BULLPEN_USER_EMAIL: user.email,
    BULLPEN_RPC_KEY: secrets.rpc,
    BULLPEN_SAMPLE_REPOSITORY: home.sampleRepository,
    SESSION_GRPC_PORT: String(ports.sessionGrpc),
    SESSION_GRPC_URL: `http://127.0.0.1:${ports.sessionGrpc}`,
    ORCHESTRATOR_GRPC_PORT: String(ports.orchestratorGrpc),
    ORCHESTRATOR_GRPC_URL: `http://127.0.0.1:${ports.orchestratorGrpc}`,
    ORCHESTRATOR_LINK_PORT: String(ports.orchestratorLink),
  };
}

function sandboxEnvironment({ settings, secrets, home }: Installation): Record<string, string> {
  return {
    BULLPEN_SANDBOXES: home.sandboxes,
    BULLPEN_MIRRORS: home.mirrors,
    BULLPEN_SANDBOX_KEY: secrets.sandbox,
    BULLPEN_RUNNER: join(CHECKOUT, 'services', 'sandbox-runner', 'dist', 'runner.mjs'),
    BULLPEN_NODE: process.execPath,
    BULLPEN_AGENTS: settings.BULLPEN_AGENTS ?? CHECKOUT,
    BULLPEN_LOCAL_PATHS: '1',
  };
}

function modelEnvironment({ settings, ports }: Installation): Record<string, string> {
  if (settings.ANTHROPIC_API_KEY === undefined) {
    return {
      BULLPEN_MODEL_PROVIDER: 'scripted',
      BULLPEN_MODEL: SCRIPTED_MODEL,
      BULLPEN_MODEL_BASE_URL: `http://127.0.0.1:${ports.scriptedModel}`,
    };
  }
  return {
    BULLPEN_MODEL_PROVIDER: 'anthropic',
    BULLPEN_MODEL: modelInUse(settings).model,
    ANTHROPIC_API_KEY: settings.ANTHROPIC_API_KEY,
    ...(settings.ANTHROPIC_BASE_URL === undefined ? {} : { BULLPEN_MODEL_BASE_URL: settings.ANTHROPIC_BASE_URL }),
  };
}
