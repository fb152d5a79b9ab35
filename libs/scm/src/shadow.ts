import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Rejection } from '@bullpen/errors';

import { GitFailed, git } from './git.js';
import type { GitOptions, GitResult } from './git.js';

/**
 * The platform's own git directory beside the agent's, at `.git/bullpen`: own configuration, index and refs, the agent's objects.
 * What the agent writes into its configuration (filters, monitors, signing, diff programs), stages, locks or breaks does not
 * reach the platform's calls, and these change nothing that the agent sees.
 */
export interface Shadow {
  readonly workspace: string;
  readonly folder: string;
  /** Runs git on the workspace's files with the platform's configuration and index. */
  run(args: readonly string[], options?: GitOptions): Promise<GitResult>;
  /** The same, and its output as trimmed text. */
  text(args: readonly string[], options?: GitOptions): Promise<string>;
}

const CONFIGURATION = `[core]
\trepositoryformatversion = 0
\tbare = false
\tlogAllRefUpdates = false
\tfsmonitor = false
\tuntrackedCache = false
`;
const GIT_TIMEOUT_MS = 5 * 60_000;

/** @throws Rejection `workspace.not-a-repository` when the workspace has no `.git` folder (any more) */
export async function openShadow(workspace: string): Promise<Shadow> {
  const gitFolder = join(workspace, '.git');
  const found = await lstat(gitFolder).catch(() => null);
  if (!found?.isDirectory()) {
    throw new Rejection(
      'workspace.not-a-repository',
      `The workspace ${workspace} holds no git repository any more. Start a new session.`,
      { workspace },
    );
  }
  const folder = join(gitFolder, 'bullpen');
  if (!existsSync(join(folder, 'HEAD'))) await makeFolder(folder);
  const environment = {
    ...PRIVATE_ENVIRONMENT,
    GIT_DIR: folder,
    GIT_WORK_TREE: workspace,
    GIT_OBJECT_DIRECTORY: join(gitFolder, 'objects'),
    GIT_SHALLOW_FILE: join(gitFolder, 'shallow'),
  };
  const run = (args: readonly string[], options: GitOptions = {}) =>
    git(args, { cwd: workspace, timeoutMs: GIT_TIMEOUT_MS, ...options, environment: { ...environment, ...options.environment } });
  const text = async (args: readonly string[], options?: GitOptions) => (await run(args, options)).stdout.toString('utf8').trim();
  return { workspace, folder, run, text };
}

/** Neither the machine's nor the user's configuration, so neither filters nor credentials. */
export const PRIVATE_ENVIRONMENT = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_ATTR_NOSYSTEM: '1' } as const;

/** The commit that a name stands for; null when there is none. */
export async function resolveCommit(shadow: Shadow, name: string): Promise<string | null> {
  try {
    return await shadow.text(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  } catch (error) {
    if (error instanceof GitFailed) return null;
    throw error;
  }
}

async function makeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'refs'), { recursive: true });
  await mkdir(join(folder, 'objects'), { recursive: true });
  await writeFile(join(folder, 'config'), CONFIGURATION);
  // Last: its presence says that the folder is whole.
  await writeFile(join(folder, 'HEAD'), 'ref: refs/heads/none\n');
}

/**
 * The tree of everything in the workspace that is not ignored, nested repositories included as plain files, plus what the agent
 * added although it is ignored. The index is kept between calls, so only changed files are read.
 *
 * @param start the commit whose files count as known: an ignored file of it stays
 */
export async function writeWorkspaceTree(shadow: Shadow, start: string, signal?: AbortSignal): Promise<string> {
  await rm(join(shadow.folder, 'index.lock'), { force: true });
  try {
    return await buildTree(shadow, start, signal);
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    // A damaged index, or objects that the agent's own `git gc` removed: read everything again, once.
    await rm(join(shadow.folder, 'index'), { force: true });
    return buildTree(shadow, start, signal);
  }
}

async function buildTree(shadow: Shadow, start: string, signal?: AbortSignal): Promise<string> {
  if (!existsSync(join(shadow.folder, 'index'))) await shadow.run(['read-tree', start], { signal });
  await addAll(shadow, {}, signal);
  await addForced(shadow, signal);
  await addNested(shadow, start, signal);
  return shadow.text(['write-tree'], { signal });
}

async function addAll(shadow: Shadow, environment: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void> {
  // 1: some files could not be read, or a nested repository has no commit. The others are in.
  const configuration = ['advice.addEmbeddedRepo=false'];
  await shadow.run(['add', '--all', '--ignore-errors', '.'], { configuration, environment, signal }).catch(unlessExitCode(1));
}

function unlessExitCode(allowed: number): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof GitFailed) || error.exitCode !== allowed) throw error;
  };
}

/** Files that the agent staged or committed by force although they are ignored. */
async function addForced(shadow: Shadow, signal?: AbortSignal): Promise<void> {
  const environment = { GIT_INDEX_FILE: join(shadow.workspace, '.git', 'index') };
  const listed = await shadow
    .run(['ls-files', '-z', '--cached', '--ignored', '--exclude-standard'], { environment, signal })
    .catch((error: unknown) => {
      if (error instanceof GitFailed) return null; // The agent's index is damaged: nothing to learn from it.
      throw error;
    });
  const paths = listed ? splitNul(listed.stdout).filter((path) => existsSync(join(shadow.workspace, path))) : [];
  if (paths.length === 0) return;
  const from = ['--pathspec-from-file=-', '--pathspec-file-nul'];
  await shadow
    .run(['add', '--force', '--ignore-errors', ...from], {
      input: paths.join('\0'),
      environment: { GIT_LITERAL_PATHSPECS: '1' },
      signal,
    })
    .catch(unlessExitCode(1));
}

const MAX_NESTED_REPOSITORIES = 64;
const GITLINK_MODE = '160000';

/** A nested repository would become a link to a commit that nobody else has: its files are taken instead. */
async function addNested(shadow: Shadow, start: string, signal?: AbortSignal): Promise<void> {
  const changed = await shadow.run(['diff-index', '--cached', '--raw', '-z', '--no-renames', '--abbrev=40', start], { signal });
  const links = rawEntries(changed.stdout).filter(
    ({ meta }) => meta.startsWith(':000000 160000') || meta.startsWith(':100644 160000'),
  );
  const untracked = await shadow.run(['ls-files', '-z', '--others', '--exclude-standard'], { signal });
  const unborn = splitNul(untracked.stdout).filter(
    (path) => path.endsWith('/') && existsSync(join(shadow.workspace, path, '.git')),
  );
  const nested = [...links.map(({ path }) => path), ...unborn.map((path) => path.slice(0, -1))].slice(0, MAX_NESTED_REPOSITORIES);
  for (const path of nested) await addNestedFolder(shadow, path, signal);
}

async function addNestedFolder(shadow: Shadow, path: string, signal?: AbortSignal): Promise<void> {
  const index = join(shadow.folder, `nested-${randomUUID()}`);
  const folder = join(shadow.workspace, path);
  const nested: Shadow = {
    ...shadow,
    run: (args, options = {}) =>
      shadow.run(args, {
        ...options,
        cwd: folder,
        environment: { GIT_WORK_TREE: folder, GIT_INDEX_FILE: index, ...options.environment },
      }),
  };
  try {
    await addAll(nested, {}, signal);
    const { stdout } = await nested.run(['write-tree'], { signal });
    const remove = `0 ${'0'.repeat(40)}\t${path}\0`;
    await shadow.run(['update-index', '-z', '--index-info'], { input: remove, signal });
    const listed = await shadow.run(['ls-tree', '-r', '-z', '--full-tree', stdout.toString('utf8').trim()], { signal });
    const files = splitNul(listed.stdout).filter((line) => !line.startsWith(GITLINK_MODE));
    await shadow.run(['update-index', '-z', '--index-info'], {
      input: files.map((line) => prefixed(line, path)).join(''),
      signal,
    });
  } finally {
    await rm(index, { force: true });
  }
}

function prefixed(line: string, folder: string): string {
  const tab = line.indexOf('\t');
  return `${line.slice(0, tab)}\t${folder}/${line.slice(tab + 1)}\0`;
}

function rawEntries(output: Buffer): { meta: string; path: string }[] {
  const fields = splitNul(output);
  return Array.from({ length: Math.floor(fields.length / 2) }, (_, at) => ({
    meta: fields[at * 2] ?? '',
    path: fields[at * 2 + 1] ?? '',
  }));
}

export function splitNul(output: Buffer): string[] {
  return output
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '');
}

/** Puts a copy of the platform's index in the place of the agent's, whatever state that is in. */
export async function replaceAgentIndex(shadow: Shadow): Promise<void> {
  const gitFolder = join(shadow.workspace, '.git');
  const copy = join(shadow.folder, `index-${randomUUID()}`);
  await copyFile(join(shadow.folder, 'index'), copy);
  await rm(join(gitFolder, 'index.lock'), { recursive: true, force: true });
  await rename(copy, join(gitFolder, 'index'));
}
