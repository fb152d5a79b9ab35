import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { GitFailed, git } from './git.js';
import type { GitOptions, GitResult } from './git.js';

const MAX_FOLDERS_SEARCHED = 10_000;
const REPOSITORY_ID = /^[0-9a-z][0-9a-z-]{0,63}$/;
/** Redirects could lead to a host that nobody checked. Old sources hold objects that git's checks refuse today; whoever a branch is pushed to checks it. */
const MIRROR_CONFIGURATION = [
  'http.followRedirects=false',
  'fetch.fsckObjects=false',
  'transfer.unpackLimit=1',
  'core.alternateRefsCommand=',
];

/** Whether an id may name a mirror's folder. */
export function isRepositoryId(id: string): boolean {
  return REPOSITORY_ID.test(id);
}

/** Makes an empty bare repository in one move, or frees the one that is there of lock files that a killed git left. */
export async function openMirror(folder: string, staleLockMs: number): Promise<void> {
  if (existsSync(join(folder, 'HEAD'))) return removeStaleLocks(folder, staleLockMs);
  const making = `${folder}.${randomUUID()}`;
  await mkdir(making, { recursive: true, mode: 0o700 });
  await git(['init', '--quiet', '--bare', '--template=', making], { cwd: '/' });
  await rm(folder, { recursive: true, force: true });
  await rename(making, folder);
}

async function removeStaleLocks(mirror: string, staleLockMs: number): Promise<void> {
  for (const name of await readdir(mirror)) await removeIfStaleLock(join(mirror, name), staleLockMs);
  const folders = [join(mirror, 'refs')];
  for (let searched = 0; searched < MAX_FOLDERS_SEARCHED; searched += 1) {
    const current = folders.pop();
    if (current === undefined) return;
    for (const entry of await readdir(current, { withFileTypes: true })) {
      const path = join(current, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else await removeIfStaleLock(path, staleLockMs);
    }
  }
}

async function removeIfStaleLock(path: string, staleLockMs: number): Promise<void> {
  if (path.endsWith('.lock') && (await ageMs(path)) > staleLockMs) await rm(path, { force: true });
}

async function ageMs(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  return found ? Date.now() - found.mtimeMs : 0;
}

/** Runs git on a mirror. */
export function inMirror(folder: string, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  return git([`--git-dir=${folder}`, ...args], { cwd: folder, configuration: MIRROR_CONFIGURATION, ...options });
}

/** How git failed, or null when it did not. */
export async function attempt(run: Promise<unknown>): Promise<GitFailed | null> {
  try {
    await run;
    return null;
  } catch (error) {
    if (error instanceof GitFailed) return error;
    throw error;
  }
}
