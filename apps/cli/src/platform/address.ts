import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Rejection } from '@bullpen/errors';

import type { CliHost } from '../host.js';

const DEFAULT_PORT = 4_800;
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

export interface Address {
  /** Origin of the public API, without a slash at its end. */
  readonly url: string;
  readonly token: string;
  /** Where the URL was found, for a person. */
  readonly foundIn: string;
}

/**
 * Where the platform is and how to be let in: `--url`, BULLPEN_URL, BULLPEN_PORT, then what `make up` wrote down, then the default port;
 * BULLPEN_TOKEN, then the token file. The token file is this machine's own and is never sent to another one.
 *
 * @throws Rejection `address.invalid`, `token.missing`
 */
export function findAddress(host: CliHost, givenUrl: string | undefined): Address {
  const home = host.environment['BULLPEN_HOME'] || join(host.checkout, '.bullpen');
  const [candidate, foundIn] = findUrl(host, home, givenUrl);
  const url = URL.parse(candidate);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Rejection('address.invalid', `${JSON.stringify(candidate)} (${foundIn}) is no http or https URL.`, { next: 'pass --url http://host:port' });
  }
  return { url: url.origin, token: findToken(host, home, url), foundIn };
}

function findUrl({ environment }: CliHost, home: string, givenUrl: string | undefined): [string, string] {
  const { BULLPEN_URL, BULLPEN_PORT } = environment;
  if (givenUrl) return [givenUrl, '--url'];
  if (BULLPEN_URL) return [BULLPEN_URL, 'BULLPEN_URL'];
  if (BULLPEN_PORT) return [`http://127.0.0.1:${BULLPEN_PORT}`, 'BULLPEN_PORT'];
  const runFile = join(home, 'run.json');
  const recorded = recordedUrl(readIfPresent(runFile));
  return recorded === null ? [`http://127.0.0.1:${DEFAULT_PORT}`, 'the default port'] : [recorded, runFile];
}

function recordedUrl(text: string | null): string | null {
  try {
    const run: unknown = JSON.parse(text ?? 'null');
    return typeof run === 'object' && run !== null && 'url' in run && typeof run.url === 'string' ? run.url : null;
  } catch {
    return null;
  }
}

function findToken({ environment }: CliHost, home: string, url: URL): string {
  if (environment['BULLPEN_TOKEN']) return environment['BULLPEN_TOKEN'];
  const next = 'set BULLPEN_TOKEN to the token that the start-up of the platform printed';
  if (!LOOPBACK.has(url.hostname)) {
    throw new Rejection('token.missing', `${url.origin} needs a token, and the one in ${home} is only for this machine.`, { next });
  }
  const file = join(home, 'token');
  const token = readIfPresent(file)?.trim();
  if (token) return token;
  const message = `There is no token: BULLPEN_TOKEN is not set and ${file} cannot be read.`;
  throw new Rejection('token.missing', message, { next: `start the platform with make up, or ${next}` });
}

function readIfPresent(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
