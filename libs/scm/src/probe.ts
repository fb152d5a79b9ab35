import { lookup } from 'node:dns/promises';
import { constants } from 'node:fs';
import { access, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Fault, Rejection } from '@bullpen/errors';

import { requireBranchName } from './branch.js';
import { GitFailed, git, lastLine, unlessGitFailed } from './git.js';
import { isPrivateAddress } from './hosts.js';
import { SERVE_LOCAL } from './local-remote.js';
import { hostNotAllowed } from './source.js';
import type { Source, UrlSource } from './source.js';

export interface ProbedSource {
  readonly canonicalSource: string;
  readonly name: string;
  readonly defaultBranch: string;
  /** The branch asked for, or the default one. */
  readonly branch: string;
  readonly headSha: string;
}

export const PROBE_TIMEOUT_MS = 10_000;
const MAX_REFS_BYTES = 32 * 1024 * 1024;
const SSH_PORT = 22;
const RECEIVED_STATUS = /<= Recv header: HTTP\/[\d.]+ (\d{3})/g;
const RECEIVED_LOCATION = /<= Recv header: location: (\S+)/i;

/**
 * Looks at a source without cloning it, and asks nobody anything.
 *
 * @param branch empty for the default branch
 * @throws Rejection `repository.not-found`, `.not-git`, `.not-readable`, `.branch-missing`, `.empty`, `.host-not-allowed`;
 *   Fault `repository.probe-timeout`, `repository.unreachable`
 */
export async function probeSource(
  source: Source,
  branch: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<ProbedSource> {
  if (branch !== '') requireBranchName(branch);
  const limit = AbortSignal.timeout(PROBE_TIMEOUT_MS);
  const bounded = signal ? AbortSignal.any([signal, limit]) : limit;
  try {
    if (source.kind === 'path') await requireRepositoryFolder(source.canonical);
    else await requireAllowedHost(source);
    const refs = await listRefs(source, bounded);
    return { canonicalSource: source.canonical, name: source.name, ...resolveBranch(refs, branch, source.canonical) };
  } catch (error) {
    if (limit.aborted && !signal?.aborted) throw probeTimeout(source.canonical, error);
    throw error;
  }
}

interface Refs {
  readonly head: string | null;
  readonly branches: ReadonlyMap<string, string>;
}

async function listRefs(source: Source, signal: AbortSignal): Promise<Refs> {
  const serve = source.kind === 'path' ? [`--upload-pack=${SERVE_LOCAL} upload-pack`] : [];
  const args = ['ls-remote', '--symref', ...serve, '--', source.canonical, 'HEAD', 'refs/heads/*'];
  try {
    const { stdout } = await git(args, {
      // Outside any repository, whose configuration would count.
      cwd: '/',
      // A redirect could lead to a host that was not checked.
      configuration: ['http.followRedirects=false'],
      timeoutMs: PROBE_TIMEOUT_MS,
      maxOutputBytes: MAX_REFS_BYTES,
      signal,
    });
    return parseRefs(stdout.toString('utf8'));
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    throw source.kind === 'path' ? notGit(source.canonical) : await classifyRemote(source, signal, error);
  }
}

function parseRefs(text: string): Refs {
  let head: string | null = null;
  const branches = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [value = '', ref = ''] = line.split('\t');
    if (ref === 'HEAD' && value.startsWith('ref: refs/heads/')) head = value.slice('ref: refs/heads/'.length);
    if (ref.startsWith('refs/heads/')) branches.set(ref.slice('refs/heads/'.length), value);
  }
  return { head, branches };
}

function resolveBranch({ head, branches }: Refs, wanted: string, source: string) {
  if (branches.size === 0) {
    throw new Rejection(
      'repository.empty',
      `The repository ${source} has no commits yet. Make a first commit on a branch, then try again.`,
      { source },
    );
  }
  const fallback = ['main', 'master'].find((name) => branches.has(name)) ?? [...branches.keys()].sort()[0] ?? '';
  const defaultBranch = head !== null && branches.has(head) ? head : fallback;
  const branch = wanted === '' ? defaultBranch : wanted;
  const headSha = branches.get(branch);
  if (headSha === undefined) throw branchMissing(source, branch);
  return { defaultBranch, branch, headSha };
}

export function branchMissing(source: string, branch: string): Rejection {
  return new Rejection(
    'repository.branch-missing',
    `The repository ${source} has no branch ${branch}. Give the name of an existing branch.`,
    {
      source,
      branch,
    },
  );
}

async function requireRepositoryFolder(path: string): Promise<void> {
  const entry = await lookAt(path);
  if (entry === 'missing') {
    throw new Rejection(
      'repository.not-found',
      `There is no folder ${path}. Check the path on the machine that runs the platform.`,
      { source: path },
    );
  }
  if (entry === 'unreadable') throw notReadable(path);
  const worktree = await lookAt(join(path, '.git'));
  const bare = await lookAt(join(path, 'HEAD'));
  if (worktree === 'missing' && bare === 'missing') throw notGit(path);
  if (worktree === 'unreadable' || (worktree === 'missing' && bare === 'unreadable')) throw notReadable(path);
}

async function lookAt(path: string): Promise<'readable' | 'unreadable' | 'missing'> {
  try {
    const found = await stat(path);
    await access(path, found.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    return 'readable';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable';
  }
}

/** @throws Rejection `repository.not-found` (no such host), `.host-not-allowed`; Fault `repository.unreachable` */
async function requireAllowedHost(source: UrlSource): Promise<void> {
  if (source.hostListed) return;
  const addresses = await lookup(source.host.replace(/^\[|\]$/g, ''), { all: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTFOUND') throw noSuchHost(source);
    throw new Fault(
      'repository.unreachable',
      `The name ${source.host} could not be resolved. Check the network, then try again.`,
      { cause: error },
    );
  });
  if (addresses.some(({ address }) => isPrivateAddress(address))) throw hostNotAllowed(source.host);
}

/** git says 128 for every failure of a remote; whether it answers, and how, tells them apart. */
async function classifyRemote({ canonical }: UrlSource, signal: AbortSignal, failure: GitFailed): Promise<Error> {
  const why = lastLine(failure.stderr);
  if (canonical.startsWith('ssh:')) {
    return (await accepts(canonical, signal)) ? notReadable(canonical, why) : unreachable(canonical, why);
  }
  const answer = await lastAnswer(canonical, signal);
  return answer ? remoteFailure(canonical, answer.status, answer.location) : unreachable(canonical, why);
}

/** Whether somebody listens where an ssh URL leads. */
function accepts(canonical: string, signal: AbortSignal): Promise<boolean> {
  const { hostname, port } = new URL(canonical);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || SSH_PORT), signal });
    const settle = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

/**
 * What the server said last when git asked it, with git's own credentials, proxy and certificates; null when it said nothing. git
 * leaves secrets out of the trace, which is a file that nobody else can read and is gone after.
 */
async function lastAnswer(canonical: string, signal: AbortSignal): Promise<{ status: number; location: string | null } | null> {
  const folder = await mkdtemp(join(tmpdir(), 'bullpen-probe-'));
  const trace = join(folder, 'trace');
  try {
    await git(['ls-remote', '--', canonical, 'HEAD'], {
      cwd: '/',
      configuration: ['http.followRedirects=false'],
      environment: { GIT_TRACE_CURL: trace, GIT_TRACE_CURL_NO_DATA: '1', GIT_TRACE_REDACT: '1' },
      timeoutMs: PROBE_TIMEOUT_MS,
      signal,
    }).catch(unlessGitFailed(null));
    const text = await readFile(trace, 'utf8').catch(() => '');
    const status = [...text.matchAll(RECEIVED_STATUS)].at(-1)?.[1];
    return status === undefined ? null : { status: Number(status), location: RECEIVED_LOCATION.exec(text)?.[1] ?? null };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the status of `/info/refs` says about why git could not read a source. */
export function remoteFailure(source: string, status: number, location: string | null): Error {
  if (status === 401 || status === 403) return notReadable(source);
  if (status === 404 || status === 410) {
    return new Rejection('repository.not-found', `There is no repository at ${source}. Check the address.`, { source });
  }
  if (status >= 300 && status < 400) {
    const to = location?.split('/info/refs')[0] ?? 'another address';
    return new Rejection('repository.not-found', `The repository ${source} has moved to ${to}. Give the new address.`, {
      source,
    });
  }
  if (status >= 500 || status === 429) {
    return new Fault('repository.unreachable', `${source} answers with status ${status}. Try again later.`, {
      details: { source, status },
    });
  }
  return notGit(source);
}

function unreachable(source: string, why: string): Fault {
  return new Fault('repository.unreachable', `${source} does not answer: ${why}. Check the network, then try again.`, {
    details: { source },
  });
}

function noSuchHost(source: UrlSource): Rejection {
  return new Rejection('repository.not-found', `There is no host ${source.host}. Check the address ${source.canonical}.`, {
    source: source.canonical,
  });
}

function notGit(source: string): Rejection {
  return new Rejection(
    'repository.not-git',
    `${source} is not a git repository. Give the address of a repository, or run "git init" there first.`,
    {
      source,
    },
  );
}

function notReadable(source: string, why = ''): Rejection {
  const because = why === '' ? '' : ` (${why})`;
  return new Rejection(
    'repository.not-readable',
    `The platform may not read ${source}${because}. Give it access, or another source.`,
    { source },
  );
}

function probeTimeout(source: string, cause: unknown): Fault {
  return new Fault(
    'repository.probe-timeout',
    `${source} did not answer within ${PROBE_TIMEOUT_MS / 1_000} s. Try again later.`,
    {
      details: { source },
      cause,
    },
  );
}
