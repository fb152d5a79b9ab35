import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { sessionBranch } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import { requireBranchName } from './branch.js';
import { MAX_FILE_CHANGES, diffTrees } from './diff.js';
import type { ChangedFiles } from './diff.js';
import { GitFailed, git, lastLine, unlessGitFailed } from './git.js';
import type { GitOptions } from './git.js';
import { SERVE_LOCAL } from './local-remote.js';
import { branchMissing } from './probe.js';
import { Serial } from './serial.js';
import { openShadow, resolveCommit, writeWorkspaceTree } from './shadow.js';
import type { Shadow } from './shadow.js';

export interface CloneRequest {
  /** As the platform writes it: an https or ssh URL, or an absolute path. */
  readonly source: string;
  /** Where the source is to be read from instead, a path that this process sees; null to read `source` itself. */
  readonly sourcePath: string | null;
  readonly branch: string;
  /** Absolute; made when it is missing. What is in it is kept if it is this session's checkout, and removed otherwise. */
  readonly workspace: string;
  readonly sessionId: string;
  /** The session's last checkpoint, with its bundle as a file. */
  readonly checkpoint: { readonly sha: string; readonly base: string; readonly bundlePath: string } | null;
  /** The sandbox's home; a git configuration is written there. */
  readonly home: string;
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface ClonedWorkspace {
  /** The commit that the session started from. */
  readonly base: string;
  /** What the next checkpoint follows: the last checkpoint, or the base. */
  readonly parent: string;
}

const CLONE_TIMEOUT_MS = 30 * 60_000;
const CHECKOUT_TIMEOUT_MS = 10 * 60_000;
const SESSION_KEY = 'bullpen.session';
export const BASE_REF = 'refs/bullpen/base';
export const CHECKPOINT_REF = 'refs/bullpen/checkpoint';
/** One call at a time works with a workspace's shadow. */
export const workspaceCalls = new Serial();

/**
 * Makes the workspace the session's checkout, on branch `bullpen/<session>`: keeps it when it is already (taken over from an
 * earlier sandbox, with whatever the agent left), else clones, from the checkpoint when there is one. May be repeated.
 *
 * @throws Rejection `repository.branch-missing`, `.not-readable`, `checkpoint.not-restorable`; Fault `git.timeout`, `git.aborted`
 */
export async function cloneWorkspace(request: CloneRequest): Promise<ClonedWorkspace> {
  requireBranchName(request.branch);
  return workspaceCalls.run(request.workspace, async () => {
    const gitOptions = await prepareHome(request);
    const kept = await keptWorkspace(request);
    if (kept) return kept;
    await emptyFolder(request.workspace);
    await clone(request, gitOptions);
    const shadow = await openShadow(request.workspace);
    const { base, parent } = await checkoutSession(request, shadow, gitOptions);
    await shadow.run(['update-ref', BASE_REF, base]);
    await shadow.run(['update-ref', CHECKPOINT_REF, parent]);
    // Last: it says that the checkout is whole.
    await shadow.run(['config', SESSION_KEY, request.sessionId]);
    return { base, parent };
  });
}

/** A configuration for git calls of ours, and one for the agent's, both of which may read a source that belongs to another user. */
async function prepareHome({ home, onProgress, signal }: CloneRequest): Promise<GitOptions> {
  await mkdir(home, { recursive: true });
  const ours = join(home, '.bullpen-gitconfig');
  const configuration = '[safe]\n\tdirectory = *\n[advice]\n\tdetachedHead = false\n';
  await writeFile(ours, configuration);
  const agents = join(home, '.gitconfig');
  if (!existsSync(agents)) await writeFile(agents, `${configuration}[user]\n\tname = Bullpen\n\temail = bullpen@localhost\n`);
  const environment = { HOME: home, GIT_CONFIG_NOSYSTEM: '1', GIT_ATTR_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: ours };
  return { environment, ...(onProgress ? { onProgress } : {}), ...(signal ? { signal } : {}) };
}

async function keptWorkspace({ workspace, sessionId, checkpoint, signal }: CloneRequest): Promise<ClonedWorkspace | null> {
  if (!existsSync(join(workspace, '.git', 'bullpen', 'HEAD'))) return null;
  const shadow = await openShadow(workspace);
  const owner = await shadow.text(['config', '--default', '', '--get', SESSION_KEY]).catch(unlessGitFailed(''));
  const base = await resolveCommit(shadow, BASE_REF);
  if (owner !== sessionId || base === null) return null;
  // The log is right about the last checkpoint: one that was made here but never arrived does not count.
  if (checkpoint === null) return { base, parent: base };
  const known = (await resolveCommit(shadow, checkpoint.sha)) ?? (await fetchBundle(shadow, checkpoint, signal));
  return known === checkpoint.sha && base === checkpoint.base ? { base, parent: checkpoint.sha } : null;
}

async function fetchBundle(
  shadow: Shadow,
  checkpoint: { sha: string; bundlePath: string },
  signal?: AbortSignal,
): Promise<string | null> {
  const refspec = `+refs/heads/*:refs/bullpen/restored/*`;
  await shadow
    .run(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', checkpoint.bundlePath, refspec], { signal })
    .catch(unlessGitFailed(null));
  return resolveCommit(shadow, checkpoint.sha);
}

/** Empties a folder that may be a mount point, which cannot be removed itself. */
async function emptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
}

async function clone({ source, sourcePath, branch, workspace }: CloneRequest, options: GitOptions): Promise<void> {
  const from = sourcePath ?? source;
  const serve = serveLocal(from);
  const hardlinks = from.startsWith('/') ? ['--no-hardlinks'] : [];
  const how = ['--progress', '--no-checkout', '--template=', '--branch', branch, ...hardlinks, ...serve];
  const args = ['clone', ...how, '--', from, workspace];
  try {
    await git(args, { ...options, cwd: '/', timeoutMs: CLONE_TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    const why = lastLine(error.stderr);
    const listed = await git(['ls-remote', ...serve, '--', from, `refs/heads/${branch}`], { ...options, cwd: '/' }).catch(
      unlessGitFailed(null),
    );
    if (listed?.stdout.length === 0) throw branchMissing(source, branch);
    throw new Rejection(
      'repository.not-readable',
      `The repository ${source} could not be cloned: ${why}. Check that the sandbox may read it.`,
      { source },
    );
  }
  // For the agent's information: where the platform's mirror is says nothing to anybody.
  if (!source.startsWith('/')) await git(['remote', 'set-url', 'origin', source], { ...options, cwd: workspace });
}

function serveLocal(from: string): string[] {
  return from.startsWith('/') ? [`--upload-pack=${SERVE_LOCAL} upload-pack`] : [];
}

async function checkoutSession(request: CloneRequest, shadow: Shadow, options: GitOptions): Promise<ClonedWorkspace> {
  const { workspace, checkpoint, sessionId } = request;
  const head = (await git(['rev-parse', '--verify', 'HEAD^{commit}'], { ...options, cwd: workspace })).stdout
    .toString('utf8')
    .trim();
  if (checkpoint) await restoreCheckpoint(request, shadow, options);
  const base = checkpoint?.base ?? head;
  const parent = checkpoint?.sha ?? head;
  const inWorkspace = { ...options, cwd: workspace, timeoutMs: CHECKOUT_TIMEOUT_MS };
  await git(['checkout', '--progress', '--force', '--no-track', '-B', sessionBranch(sessionId), parent, '--'], inWorkspace);
  // For the agent's own `git gc`: what the session stands on is in use.
  await git(['update-ref', BASE_REF, base], inWorkspace);
  await git(['update-ref', CHECKPOINT_REF, parent], inWorkspace);
  return { base, parent };
}

async function restoreCheckpoint(
  { checkpoint, workspace, signal, source, sourcePath }: CloneRequest,
  shadow: Shadow,
  options: GitOptions,
): Promise<void> {
  if (!checkpoint) return;
  if ((await resolveCommit(shadow, checkpoint.base)) === null) {
    // The branch was rewritten since: some servers still hand out the commit by its name.
    const from = sourcePath ?? source;
    const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', ...serveLocal(from), '--', from, checkpoint.base];
    await git(args, { ...options, cwd: workspace }).catch(unlessGitFailed(null));
  }
  if ((await fetchBundle(shadow, checkpoint, signal)) === checkpoint.sha) return;
  throw new Rejection(
    'checkpoint.not-restorable',
    `The last checkpoint ${checkpoint.sha} cannot be restored: ${source} no longer has its base ${checkpoint.base}. Start a new session.`,
    { sha: checkpoint.sha, base: checkpoint.base },
  );
}

/**
 * What differs now from `base`: committed or not, staged or not, untracked files included, ignored ones not. Changes nothing that
 * the agent sees. At most 500 files.
 *
 * @throws Rejection `workspace.not-a-repository`
 */
export function changedFiles({
  workspace,
  base,
  signal,
}: {
  workspace: string;
  base: string;
  signal?: AbortSignal;
}): Promise<ChangedFiles> {
  return workspaceCalls.run(workspace, async () => {
    const shadow = await openShadow(workspace);
    const tree = await writeWorkspaceTree(shadow, base, signal);
    const { files, total } = await diffTrees(shadow, base, tree, signal);
    return { files: files.slice(0, MAX_FILE_CHANGES), total };
  });
}
