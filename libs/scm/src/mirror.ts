import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Reason } from '@bullpen/contracts';
import { MAX_OBJECT_BYTES } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';

import { attempt, inMirror, isRepositoryId, openMirror } from './bare-mirror.js';
import { isBranchName } from './branch.js';
import { lastLine, unlessGitFailed } from './git.js';
import type { GitFailed } from './git.js';
import { SERVE_LOCAL, receiveLocal } from './local-remote.js';
import { Serial } from './serial.js';
import { updateSourceMirror } from './source-mirror.js';
import type { SourceMirrorRequest } from './source-mirror.js';

export interface PushRequest {
  /** Holds one bare mirror per repository. */
  readonly mirrorsFolder: string;
  readonly repositoryId: string;
  /** As parseSource writes it. */
  readonly source: string;
  /** `bullpen/<session>`; the only ref that is ever written. */
  readonly branch: string;
  readonly sha: string;
  /** From a sandbox, so not trusted. */
  readonly bundle: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface ForgottenBranch {
  readonly mirrorsFolder: string;
  readonly repositoryId: string;
  /** `bullpen/<session>` */
  readonly branch: string;
  readonly ownSource: string | null;
}

export type PushResult = { readonly pushed: true } | { readonly pushed: false; readonly reason: Reason };

const FETCH_TIMEOUT_MS = 10 * 60_000;
const PUSH_TIMEOUT_MS = 5 * 60_000;
/** A lock file this old belongs to a git that was killed: no call of ours runs longer. */
const STALE_LOCK_MS = FETCH_TIMEOUT_MS + 60_000;
const SESSION_BRANCH = /^bullpen\/[0-9a-z]{1,64}$/;
/** Lines of git that come with every failure. */
const GENERAL_ADVICE = /^(?:error: failed to push some refs|fatal: Could not read from remote|Please make sure|and the repository exists|To |hint:)/;
const MAX_CAUSE_LINES = 4;
const MAX_CAUSE_CHARS = 200;
const SHA = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * The platform's bare mirrors, two for a repository, so that no credential enters a sandbox: `<id>.git`, where checkpoints are
 * pushed from, and `<id>.source.git`, which sandboxes clone from. One process uses a folder.
 */
export class Mirror {
  static readonly #calls = new Serial();

  /**
   * Pushes a checkpoint to `bullpen/<session>` of its source: that ref only, forced, never one that is checked out there; hooks of a
   * local source stay off. May be repeated. Pushes to one repository go one after the other.
   *
   * @returns why it was refused (`push.bundle-invalid`, `push.refused`, `push.not-readable`): the reason is for people
   * @throws Rejection `push.request-invalid`; Fault `git.timeout`, `git.aborted`: try again
   */
  static async pushCheckpoint(request: PushRequest): Promise<PushResult> {
    requireValid(request);
    const folder = join(request.mirrorsFolder, `${request.repositoryId}.git`);
    return Mirror.#calls.run(folder, async () => {
      await openMirror(folder, STALE_LOCK_MS);
      const incoming = `refs/incoming/${randomUUID()}`;
      const bundleFile = join(folder, `incoming-${randomUUID()}.bundle`);
      try {
        await writeFile(bundleFile, request.bundle, { mode: 0o600 });
        return await push(request, { folder, incoming, bundleFile });
      } finally {
        await rm(bundleFile, { force: true });
        await inMirror(folder, ['update-ref', '-d', incoming]).catch(() => undefined);
      }
    });
  }

  /**
   * Takes a session's branch, and whatever of it nothing else refers to, out of the mirrors of its repository; out of the repository
   * itself too when that is the platform's own (`ownSource`: its path). A branch that was pushed anywhere else is not touched: it belongs
   * to that repository. May be repeated; absent is success.
   */
  static async forgetBranch({ mirrorsFolder, repositoryId, branch, ownSource }: ForgottenBranch): Promise<void> {
    if (!isRepositoryId(repositoryId) || !SESSION_BRANCH.test(branch)) return;
    const mirror = join(mirrorsFolder, `${repositoryId}.git`);
    const source = join(mirrorsFolder, `${repositoryId}.source.git`);
    // The source first: whatever is fetched from it later must not bring the branch back.
    if (ownSource !== null) await Mirror.#calls.run(mirror, () => forget(join(ownSource, '.git'), branch));
    await Mirror.#calls.run(mirror, () => forget(mirror, branch));
    await Mirror.#calls.run(source, () => forget(source, branch));
  }

  /**
   * Brings a source's own mirror up to date, as far as the branch needs it, and says where it is: a bare repository of the source's
   * branches and nothing else, without those that sessions pushed. What a clone reads from it stays in it. May be repeated, and
   * wanted by several at once: one fetch at a time for a repository, and none when the branch is there already.
   *
   * @throws Rejection `repository.not-found`, `.not-readable`, `.not-git`, `.empty`, `.branch-missing`, `.host-not-allowed`;
   *   Fault `repository.unreachable`, `.probe-timeout`, `.fetch-failed`, `.mirror-failed`, `git.timeout`, `git.aborted`: try again
   */
  static provideSource(request: SourceMirrorRequest): Promise<string> {
    const folder = join(request.mirrorsFolder, `${request.repositoryId}.source.git`);
    const update = Mirror.#calls.run(folder, () => updateSourceMirror(folder, request));
    return unlessAborted(update, request.signal);
  }
}

/** Ends the wait at once, also while others are first. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new Fault('git.aborted', 'The source was not fetched because it is no longer wanted.'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

async function forget(folder: string, branch: string): Promise<void> {
  if (!existsSync(join(folder, 'HEAD'))) return;
  for (const ref of [`refs/heads/${branch}`, `refs/source/${branch}`]) await inMirror(folder, ['update-ref', '-d', ref]);
  await inMirror(folder, ['reflog', 'expire', '--expire=now', '--all']);
  await inMirror(folder, ['repack', '-a', '-d', '-q'], { timeoutMs: FETCH_TIMEOUT_MS });
  await inMirror(folder, ['prune', '--expire=now'], { timeoutMs: FETCH_TIMEOUT_MS });
}

interface Place {
  readonly folder: string;
  readonly incoming: string;
  readonly bundleFile: string;
}

async function push(request: PushRequest, place: Place): Promise<PushResult> {
  const { sha, branch, source, signal } = request;
  if (!(await bundleHolds(request, place)))
    return refused('push.bundle-invalid', `The bundle of ${branch} does not hold exactly ${sha}.`);
  if (!(await prerequisitesPresent(request, place))) {
    const why = await fetchSource(request, place.folder);
    if (why !== null) return refused('push.not-readable', `${source} cannot be read by the platform: ${why}`);
  }
  const problem = await takeBundle(request, place);
  if (problem !== null) return refused('push.bundle-invalid', `The bundle of ${branch} cannot be used: ${problem}`);
  const serve = isPath(source) ? [`--receive-pack=${receiveLocal(source)}`] : [];
  const args = [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-follow-tags',
    '--recurse-submodules=no',
    ...serve,
    '--',
    source,
    `+${sha}:refs/heads/${branch}`,
  ];
  const failure = await attempt(inMirror(place.folder, args, { timeoutMs: PUSH_TIMEOUT_MS, signal }));
  return failure === null ? { pushed: true } : refusalOf(failure, source);
}

/** git tells a remote's refusal of the ref (a line that starts with `!`) from a remote that could not be written to at all. */
function refusalOf(failure: GitFailed, source: string): PushResult {
  const line = failure.stdout
    .toString('utf8')
    .split('\n')
    .find((text) => text.startsWith('!'));
  const why = causeIn(failure.stderr);
  if (line !== undefined) {
    const said = line.split('\t').at(-1) ?? '';
    return refused('push.refused', `${source} refused the branch: ${said}${why === '' ? '' : `: ${why}`}`);
  }
  return refused('push.refused', `The platform may not push to ${source}: ${why || lastLine(failure.stderr)}`);
}

/** What a remote and git itself said of the cause, without git's general advice: the summary of a ref often is `unpacker error` only. */
function causeIn(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim().replace(/^remote:\s*/, ''));
  const telling = lines.filter((line) => /\S/.test(line) && !GENERAL_ADVICE.test(line));
  return [...new Set(telling)].slice(0, MAX_CAUSE_LINES).map((line) => line.slice(0, MAX_CAUSE_CHARS)).join('; ');
}

function refused(code: string, message: string): PushResult {
  return { pushed: false, reason: { code, message: message.slice(0, 1_000) } };
}

function requireValid({ repositoryId, source, branch, sha, bundle }: PushRequest): void {
  const problems = [
    isRepositoryId(repositoryId) ? '' : 'the repository id',
    isPath(source) || /^(?:https|ssh):\/\//.test(source) ? '' : 'the source',
    SESSION_BRANCH.test(branch) && isBranchName(branch) ? '' : 'the branch',
    SHA.test(sha) ? '' : 'the commit',
    bundle.byteLength > 0 && bundle.byteLength <= MAX_OBJECT_BYTES ? '' : 'the size of the bundle',
  ].filter((problem) => problem !== '');
  if (problems.length === 0) return;
  const shown = { repositoryId: repositoryId.slice(0, 80), branch: branch.slice(0, 80), sha: sha.slice(0, 80) };
  throw new Rejection(
    'push.request-invalid',
    `Cannot push a checkpoint: ${problems.join(', ')} is not valid. Only bullpen/<session> is pushed.`,
    shown,
  );
}

/** Exactly one ref, the branch, at exactly the commit. */
async function bundleHolds({ branch, sha, signal }: PushRequest, { folder, bundleFile }: Place): Promise<boolean> {
  const heads = await inMirror(folder, ['bundle', 'list-heads', bundleFile], { signal }).catch(unlessGitFailed(null));
  return heads?.stdout.toString('utf8') === `${sha} refs/heads/${branch}\n`;
}

async function prerequisitesPresent({ signal }: PushRequest, { folder, bundleFile }: Place): Promise<boolean> {
  return (await attempt(inMirror(folder, ['bundle', 'verify', '--quiet', bundleFile], { signal }))) === null;
}

/** What keeps the source from being read; null when it was fetched. */
async function fetchSource({ source, signal }: PushRequest, folder: string): Promise<string | null> {
  const serve = isPath(source) ? [`--upload-pack=${SERVE_LOCAL} upload-pack`] : [];
  const args = [
    'fetch',
    '--quiet',
    '--prune',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-gc',
    ...serve,
    '--',
    source,
    '+refs/heads/*:refs/source/*',
  ];
  const failure = await attempt(inMirror(folder, args, { timeoutMs: FETCH_TIMEOUT_MS, signal }));
  return failure && lastLine(failure.stderr);
}

/** Takes the bundle's commit in; what is wrong with it, or null. */
async function takeBundle({ branch, sha, signal }: PushRequest, { folder, incoming, bundleFile }: Place): Promise<string | null> {
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-gc',
    '--',
    bundleFile,
    `+refs/heads/${branch}:${incoming}`,
  ];
  const failure = await attempt(inMirror(folder, args, { signal, timeoutMs: FETCH_TIMEOUT_MS }));
  if (failure) return lastLine(failure.stderr);
  const taken = await inMirror(folder, ['rev-parse', '--verify', `${incoming}^{commit}`], { signal }).catch(
    unlessGitFailed(null),
  );
  return taken?.stdout.toString('utf8').trim() === sha ? null : `it leads to another commit than ${sha}`;
}

function isPath(source: string): boolean {
  return source.startsWith('/');
}
