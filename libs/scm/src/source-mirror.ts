import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { sessionBranch } from '@bullpen/contracts';
import { Bug, Fault, Rejection, assert } from '@bullpen/errors';

import { attempt, inMirror, isRepositoryId, openMirror } from './bare-mirror.js';
import { lastLine, unlessGitFailed } from './git.js';
import { SERVE_LOCAL } from './local-remote.js';
import { branchMissing, probeSource } from './probe.js';
import type { ProbedSource } from './probe.js';
import type { Source } from './source.js';

export interface SourceMirrorRequest {
  /** Holds the mirrors of every repository. */
  readonly mirrorsFolder: string;
  readonly repositoryId: string;
  /** Read with the rights and credentials of this process: its ssh agent and keys, its git configuration's helpers. */
  readonly source: Source;
  /** Is in the mirror afterwards, as the source has it now. */
  readonly branch: string;
  /** Called with each line of git's progress. */
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const SESSION_BRANCHES = `refs/heads/${sessionBranch('')}`;
/** The first fetch takes a whole repository. */
const FETCH_TIMEOUT_MS = 30 * 60_000;
/** A lock file this old belongs to a git that was killed: no call of ours runs longer. */
const STALE_LOCK_MS = FETCH_TIMEOUT_MS + 60_000;

/** One call at a time per folder; the rest is Mirror.provideSource's promise. */
export async function updateSourceMirror(folder: string, request: SourceMirrorRequest): Promise<string> {
  const { repositoryId, source, branch, signal } = request;
  assert(isRepositoryId(repositoryId), 'a repository id becomes a folder: lower-case letters, digits and "-" only');
  try {
    const probed = await probeSource(source, branch, signal ? { signal } : {});
    await openMirror(folder, STALE_LOCK_MS);
    if ((await branchIn(folder, probed.branch)) !== probed.headSha) await fetchBranches(folder, request);
    if ((await branchIn(folder, probed.branch)) === null) throw branchMissing(source.canonical, probed.branch);
    await pointHead(folder, probed);
    return folder;
  } catch (error) {
    if (error instanceof Rejection || error instanceof Fault || error instanceof Bug) throw error;
    throw new Fault(
      'repository.mirror-failed',
      `The platform could not keep its copy of ${source.canonical}. Look at the cause in the log, and for space on the disk.`,
      { details: { source: source.canonical }, cause: error },
    );
  }
}

/** The commit of a branch; null when it is not there. */
async function branchIn(folder: string, branch: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `refs/heads/${branch}^{commit}`];
  const found = await inMirror(folder, args).catch(unlessGitFailed(null));
  return found && found.stdout.toString('utf8').trim();
}

/**
 * Branches appear with all their history or not at all, and nothing is taken away but names: a clone that reads meanwhile goes on.
 */
async function fetchBranches(folder: string, request: SourceMirrorRequest): Promise<void> {
  const { source, branch, onProgress, signal } = request;
  await removeUnfinishedPacks(folder);
  const serve = source.kind === 'path' ? [`--upload-pack=${SERVE_LOCAL} upload-pack`] : [];
  const args = [
    'fetch',
    onProgress ? '--progress' : '--quiet',
    '--prune',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-gc',
    '--recurse-submodules=no',
    ...serve,
    '--',
    source.canonical,
    ...refspecsFor(branch),
  ];
  const options = { timeoutMs: FETCH_TIMEOUT_MS, ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };
  const failure = await attempt(inMirror(folder, args, options)).finally(() => removeUnfinishedPacks(folder));
  if (!failure) return;
  // What git does not say: whether the source can be read no longer.
  await probeSource(source, branch, signal ? { signal } : {});
  await discardIfDamaged(folder);
  throw new Fault(
    'repository.fetch-failed',
    `${source.canonical} could not be fetched: ${lastLine(failure.stderr)}. Try again later.`,
    { details: { source: source.canonical }, cause: failure },
  );
}

/** What sessions pushed to the source is for a sandbox to read only when its session begins on that branch. */
function refspecsFor(branch: string): string[] {
  const ref = `refs/heads/${branch}`;
  return ref.startsWith(SESSION_BRANCHES) ? [`+${ref}:${ref}`] : ['+refs/heads/*:refs/heads/*', `^${SESSION_BRANCHES}*`];
}

/** What an interrupted fetch leaves, as large as what it had received. Only one fetch at a time writes to a mirror. */
async function removeUnfinishedPacks(folder: string): Promise<void> {
  const packs = join(folder, 'objects', 'pack');
  const names = await readdir(packs).catch(() => []);
  for (const name of names.filter((each) => each.startsWith('tmp_'))) await rm(join(packs, name), { force: true });
}

/** A copy whose branches lead nowhere (a disk that lost its last writes) is no use to anybody: the next call makes it anew. */
async function discardIfDamaged(folder: string): Promise<void> {
  const damage = await attempt(inMirror(folder, ['rev-list', '--max-count=1', '--all']));
  if (damage) await rm(folder, { recursive: true, force: true });
}

async function pointHead(folder: string, { defaultBranch }: ProbedSource): Promise<void> {
  const head = `refs/heads/${defaultBranch}`;
  const current = await inMirror(folder, ['symbolic-ref', '--quiet', 'HEAD']).catch(unlessGitFailed(null));
  if (current?.stdout.toString('utf8').trim() !== head) await inMirror(folder, ['symbolic-ref', 'HEAD', head]);
}
