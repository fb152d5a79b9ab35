import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Author, DiffStats, FileChange } from '@bullpen/contracts';
import { MAX_OBJECT_BYTES } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';

import { diffTrees, patchOf } from './diff.js';
import { GitFailed, git } from './git.js';
import { PRIVATE_ENVIRONMENT, openShadow, replaceAgentIndex, resolveCommit, writeWorkspaceTree } from './shadow.js';
import type { Shadow } from './shadow.js';
import { BASE_REF, CHECKPOINT_REF, workspaceCalls } from './workspace.js';

export interface CheckpointRequest {
  readonly workspace: string;
  readonly base: string;
  /** The last checkpoint, or the base. */
  readonly parent: string;
  /** `bullpen/<session>`. */
  readonly branch: string;
  /** The prompting user. */
  readonly author: Author;
  readonly message: string;
  readonly signal?: AbortSignal;
}

export interface Checkpoint {
  /** Equal to `parent` when nothing changed since. */
  readonly sha: string;
  readonly parent: string;
  readonly base: string;
  /** Of base..sha. */
  readonly stats: DiffStats;
  /** Of base..sha, at most 500. */
  readonly files: readonly FileChange[];
  /** base..sha; empty, like the bundle, when nothing changed since `base`. */
  readonly patch: Buffer;
  /** parent..sha; empty when nothing changed since `parent`. */
  readonly turnPatch: Buffer;
  /** The branch without what `base` holds. */
  readonly bundle: Buffer;
}

const COMMITTER = { GIT_COMMITTER_NAME: 'Bullpen', GIT_COMMITTER_EMAIL: 'bullpen@localhost' };
const MAX_AGENT_COMMITS = 20;
const NOTHING = Buffer.alloc(0);
/** What a merge, rebase or pick that the agent left unfinished keeps in `.git`. Its conflicts are committed as they are. */
const UNFINISHED = [
  'MERGE_HEAD',
  'MERGE_MODE',
  'MERGE_MSG',
  'AUTO_MERGE',
  'CHERRY_PICK_HEAD',
  'REVERT_HEAD',
  'SQUASH_MSG',
  'rebase-merge',
  'rebase-apply',
  'sequencer',
];
const LOCKS = ['index.lock', 'HEAD.lock', 'packed-refs.lock'];

/**
 * Commits everything in the workspace that is not ignored as one commit on `parent`, and leaves the workspace on `branch` at that
 * commit, whatever the agent did with branches, commits of its own, merges, locks or nested repositories. Commits of the agent
 * become part of this one; their subjects are in its message. Nothing that the agent configured runs.
 * May be repeated: with nothing changed since, it answers with `parent`, and with all that restoring it takes.
 *
 * @throws Rejection `workspace.not-a-repository`, `checkpoint.too-large`; Fault `git.timeout`, `git.aborted`
 */
export function createCheckpoint(request: CheckpointRequest): Promise<Checkpoint> {
  return workspaceCalls.run(request.workspace, async () => {
    try {
      return await commitWorkspace(request, await openShadow(request.workspace));
    } catch (error) {
      if (error instanceof Fault && error.code === 'git.output-too-large') throw tooLarge(request);
      throw error;
    }
  });
}

async function commitWorkspace(request: CheckpointRequest, shadow: Shadow): Promise<Checkpoint> {
  const { base, parent, branch, signal } = request;
  const tree = await writeWorkspaceTree(shadow, parent, signal);
  const changed = tree !== (await shadow.text(['rev-parse', '--verify', `${parent}^{tree}`], { signal }));
  const sha = changed ? await commitTree(request, shadow, tree) : parent;
  await shadow.run(['update-ref', BASE_REF, base]);
  await shadow.run(['update-ref', `refs/heads/${branch}`, sha]);
  await shadow.run(['update-ref', CHECKPOINT_REF, sha]);
  await settleAgentRepository(request, shadow, sha);
  const { stats, files } = await diffTrees(shadow, base, sha, signal);
  if (sha === base) return { sha, parent, base, stats, files, patch: NOTHING, turnPatch: NOTHING, bundle: NOTHING };
  const patch = await patchOf(shadow, base, sha, signal);
  const turnPatch = parent === base ? patch : changed ? await patchOf(shadow, parent, sha, signal) : NOTHING;
  const bundle = await shadow.run(['bundle', 'create', '--quiet', '-', `refs/heads/${branch}`, `^${base}`], {
    signal,
    maxOutputBytes: MAX_OBJECT_BYTES,
  });
  return { sha, parent, base, stats, files, patch, turnPatch, bundle: bundle.stdout };
}

async function commitTree(
  { parent, author, message, workspace, signal }: CheckpointRequest,
  shadow: Shadow,
  tree: string,
): Promise<string> {
  const subjects = await agentCommits(workspace, shadow, parent);
  const list = subjects.length === 0 ? '' : `\n\nCommits of the agent:\n${subjects.map((subject) => `- ${subject}`).join('\n')}`;
  const environment = {
    ...COMMITTER,
    GIT_AUTHOR_NAME: identity(author.name, 'Bullpen user'),
    GIT_AUTHOR_EMAIL: identity(author.email, 'user@localhost'),
  };
  const input = `${message.replaceAll('\0', '').trim() || 'Checkpoint'}${list}\n`;
  const configuration = ['commit.gpgSign=false'];
  return shadow.text(['commit-tree', '-p', parent, '-F', '-', tree], { input, environment, configuration, signal });
}

/** What git leaves out of a name anyway; a name of nothing else would make it fail. */
function identity(text: string, fallback: string): string {
  const clean = text.replace(/[<>\p{Cc}]/gu, '').replace(/^[\s.,:;"'\\]+|[\s.,:;"'\\]+$/g, '');
  return clean === '' ? fallback : clean;
}

async function agentCommits(workspace: string, shadow: Shadow, parent: string): Promise<string[]> {
  try {
    const head = (await agentGit(workspace, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'])).stdout
      .toString('utf8')
      .trim();
    if (head === parent || (await resolveCommit(shadow, head)) === null) return [];
    const log = await shadow.text([
      'log',
      '--format=%s',
      '--no-merges',
      `--max-count=${MAX_AGENT_COMMITS}`,
      head,
      '--not',
      parent,
    ]);
    return log
      .split('\n')
      .filter((subject) => subject !== '')
      .reverse();
  } catch (error) {
    if (error instanceof GitFailed) return []; // A HEAD that points at nothing.
    throw error;
  }
}

function agentGit(workspace: string, args: readonly string[]) {
  return git(args, {
    cwd: workspace,
    environment: { ...PRIVATE_ENVIRONMENT, GIT_DIR: join(workspace, '.git'), GIT_WORK_TREE: workspace },
  });
}

/** The agent's own repository follows: on the branch, at the commit, nothing staged, nothing unfinished. Files stay untouched. */
async function settleAgentRepository({ workspace, base, branch }: CheckpointRequest, shadow: Shadow, sha: string): Promise<void> {
  const gitFolder = join(workspace, '.git');
  const refLock = join('refs', 'heads', `${branch}.lock`);
  for (const name of [...UNFINISHED, ...LOCKS, refLock]) await rm(join(gitFolder, name), { recursive: true, force: true });
  try {
    await agentGit(workspace, ['update-ref', '--no-deref', `refs/heads/${branch}`, sha]);
    await agentGit(workspace, ['update-ref', '--no-deref', BASE_REF, base]);
    await agentGit(workspace, ['update-ref', '--no-deref', CHECKPOINT_REF, sha]);
    await writeFile(join(gitFolder, 'HEAD'), `ref: refs/heads/${branch}\n`);
    await replaceAgentIndex(shadow);
  } catch (error) {
    // The agent broke its repository beyond this. The checkpoint does not depend on it.
    if (!(error instanceof GitFailed)) throw error;
  }
}

function tooLarge({ branch }: CheckpointRequest): Rejection {
  return new Rejection(
    'checkpoint.too-large',
    `The changes on ${branch} are larger than ${MAX_OBJECT_BYTES} bytes. Have the large files ignored or removed, then prompt again.`,
    { branch, limitBytes: MAX_OBJECT_BYTES },
  );
}
