import { execFile } from 'node:child_process';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { CHECKOUT } from './home.js';

const execute = promisify(execFile);
const GIT_TIMEOUT_MS = 20_000;
const SOURCE = join(CHECKOUT, 'apps', 'standalone', 'sample');

/** Neither the machine's nor the person's settings: a hook or a signing rule of theirs must not break the first start. */
const GIT_ENVIRONMENT = {
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Bullpen',
  GIT_AUTHOR_EMAIL: 'sample@bullpen.invalid',
  GIT_COMMITTER_NAME: 'Bullpen',
  GIT_COMMITTER_EMAIL: 'sample@bullpen.invalid',
};

/** A repository to try things on: made once, then the user's own. Whole or not at all, so a kill in the middle does no harm. */
export async function ensureSampleRepository(path: string): Promise<void> {
  if ((await stat(path).catch(() => null)) !== null) return;
  const fresh = `${path}.new`;
  await rm(fresh, { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await cp(SOURCE, fresh, { recursive: true });
  await git(fresh, 'init', '--quiet', '--initial-branch=main');
  await git(fresh, 'add', '--all');
  await git(fresh, 'commit', '--quiet', '--message', 'Add a small library with tests');
  await rename(fresh, path);
}

async function git(cwd: string, ...args: readonly string[]): Promise<void> {
  const env = { PATH: process.env['PATH'], HOME: cwd, ...GIT_ENVIRONMENT };
  await execute('git', [...args], { cwd, timeout: GIT_TIMEOUT_MS, env });
}
