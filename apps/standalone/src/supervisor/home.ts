import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { z } from 'zod';

import { newSecret } from '@bullpen/auth';
import { Rejection } from '@bullpen/errors';

import { asDiskProblem, diskProblem, hasCode } from './disk.js';

/** The folder that holds `apps/`: this file lies four below it, as source and as build output alike. */
export const CHECKOUT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Where everything of one installation lies; nobody else on this machine can look into it. */
export interface Home {
  readonly folder: string;
  readonly logs: string;
  readonly runFile: string;
  readonly lockFile: string;
  readonly tokenFile: string;
  /** One-time codes that sign a browser in. */
  readonly signInCodes: string;
  readonly secretsFile: string;
  readonly postgres: string;
  readonly nats: string;
  readonly natsConfig: string;
  readonly objects: string;
  readonly sandboxes: string;
  readonly mirrors: string;
  readonly sampleRepository: string;
}

const secretsSchema = z.object({
  natsSession: z.string(),
  natsOrchestrator: z.string(),
  natsGateway: z.string(),
  natsAdmin: z.string(),
  postgres: z.string(),
  rpc: z.string(),
  sandbox: z.string(),
});
/** Made once. None ever leaves the folder but by the environment of a process of ours. */
export type Secrets = z.infer<typeof secretsSchema>;

export function homeAt(path: string | undefined): Home {
  const folder = resolve(path === undefined || path === '' ? join(CHECKOUT, '.bullpen') : path);
  return {
    folder,
    logs: join(folder, 'logs'),
    runFile: join(folder, 'run.json'),
    lockFile: join(folder, 'supervisor.lock'),
    tokenFile: join(folder, 'token'),
    signInCodes: join(folder, 'sign-in-codes'),
    secretsFile: join(folder, 'secrets.json'),
    postgres: join(folder, 'postgres'),
    nats: join(folder, 'nats'),
    natsConfig: join(folder, 'nats.conf'),
    objects: join(folder, 'objects'),
    sandboxes: join(folder, 'sandboxes'),
    mirrors: join(folder, 'mirrors'),
    sampleRepository: join(folder, 'repositories', 'sample'),
  };
}

/** @throws Rejection `home.not-a-folder`, `home.not-writable`, Fault `disk.full` */
export function prepareHome(home: Home): void {
  const problem = diskProblem(home.folder);
  if (problem !== null) throw problem;
  try {
    mkdirSync(home.folder, { recursive: true, mode: 0o700 });
    chmodSync(home.folder, 0o700);
    for (const folder of [home.logs, home.objects, home.sandboxes, home.mirrors]) mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw asDiskProblem(home.folder, error);
  }
}

/** @throws Rejection `home.damaged` when the file is there but unreadable: new secrets would lock us out of our own data */
export function loadSecrets(home: Home): Secrets {
  const text = readIfPresent(home.secretsFile);
  if (text === null) {
    const secrets = Object.fromEntries(Object.keys(secretsSchema.shape).map((name) => [name, newSecret()])) as Secrets;
    writePrivately(home.secretsFile, `${JSON.stringify(secrets, null, 2)}\n`);
    return secrets;
  }
  const secrets = secretsSchema.safeParse(parseJson(text));
  if (secrets.success) return secrets.data;
  throw new Rejection('home.damaged', `${home.secretsFile} is not readable. Restore it, or remove ${home.folder} to start anew.`);
}

/** The key for the public API. */
export function loadToken(home: Home): string {
  const text = readIfPresent(home.tokenFile)?.trim();
  if (text) return text;
  const token = newSecret();
  writePrivately(home.tokenFile, `${token}\n`);
  return token;
}

/** Whole or not at all, also when the machine loses power; mode 0600. */
export function writePrivately(path: string, text: string): void {
  const fresh = `${path}.${process.pid}.new`;
  writeFileSync(fresh, text, { mode: 0o600, flush: true });
  renameSync(fresh, path);
}

export function readIfPresent(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
