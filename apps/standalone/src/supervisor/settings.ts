import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';

import { z } from 'zod';

import { isolationVariable, loadConfig, logLevelVariable, portVariable } from '@bullpen/config';
import { Rejection } from '@bullpen/errors';
import { parseNatsUrl } from '@bullpen/event-log';

/** standalone: all services in one process; processes: one process a service. */
export const MODES = ['standalone', 'processes'] as const;
export type Mode = (typeof MODES)[number];

export const DEFAULT_PORT = 4_800;

const schema = z.object({
  BULLPEN_HOME: z.string().optional(),
  BULLPEN_PORT: portVariable.default(DEFAULT_PORT),
  BULLPEN_HOST: z.string().default('127.0.0.1'),
  BULLPEN_MODE: z.string().default(MODES[0]),
  NATS_URL: z.string().optional(),
  DATABASE_URL: z.string().optional(),
  ANTHROPIC_API_KEY: z.string().optional(),
  ANTHROPIC_BASE_URL: z.string().optional(),
  BULLPEN_MODEL: z.string().optional(),
  BULLPEN_AGENTS: z.string().startsWith('/').optional(),
  BULLPEN_USER_NAME: z.string().optional(),
  BULLPEN_USER_EMAIL: z.string().optional(),
  BULLPEN_ISOLATION: isolationVariable.optional(),
  BULLPEN_LOG_LEVEL: logLevelVariable.optional(),
});
export const SETTING_NAMES = Object.keys(schema.shape) as readonly (keyof typeof schema.shape)[];

/** What a person may set for `make up`. */
export type Settings = Omit<z.infer<typeof schema>, 'BULLPEN_MODE'> & { readonly BULLPEN_MODE: Mode };

/** @throws Rejection `config.invalid`, `mode.unknown`, `nats.url` */
export function loadSettings(environment: NodeJS.ProcessEnv): Settings {
  const settings = loadConfig(schema, environment);
  if (settings.NATS_URL !== undefined) parseNatsUrl(settings.NATS_URL);
  if (settings.ANTHROPIC_API_KEY !== undefined) requireHttp('ANTHROPIC_BASE_URL', settings.ANTHROPIC_BASE_URL);
  const mode = MODES.find((one) => one === settings.BULLPEN_MODE);
  if (mode !== undefined) return { ...settings, BULLPEN_MODE: mode };
  const message = `BULLPEN_MODE=${settings.BULLPEN_MODE} does not exist. Set it to ${MODES.join(' or ')}, or unset it for ${MODES[0]}.`;
  throw new Rejection('mode.unknown', message, { mode: settings.BULLPEN_MODE });
}

function requireHttp(variable: string, value: string | undefined): void {
  if (value === undefined || ['http:', 'https:'].includes(URL.parse(value)?.protocol ?? '')) return;
  const message = `${variable} is no address. Set it to https://host or http://host:port, or unset it.`;
  throw new Rejection('config.invalid', message, { variables: [variable] });
}

/** Where this machine reaches the public API. */
export function localUrl({ BULLPEN_HOST: host, BULLPEN_PORT: port }: Settings): string {
  return `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}`;
}

/** Who prompts in local mode, and so the author of what the agents commit: as git knows them. */
export function localUser(settings: Settings): { name: string; email: string } {
  const login = userInfo().username;
  return {
    name: settings.BULLPEN_USER_NAME ?? gitSetting('user.name') ?? login,
    email: settings.BULLPEN_USER_EMAIL ?? gitSetting('user.email') ?? `${login}@localhost`,
  };
}

function gitSetting(name: string): string | null {
  try {
    return execFileSync('git', ['config', '--global', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim() || null;
  } catch {
    return null;
  }
}
