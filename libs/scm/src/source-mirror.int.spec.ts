import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sessionBranch } from '@bullpen/contracts';

import { createCheckpoint } from './checkpoint.js';
import { Mirror } from './mirror.js';
import { probeSource } from './probe.js';
import { parseSource } from './source.js';
import type { UrlSource } from './source.js';
import { cloneWorkspace } from './workspace.js';
import type { CloneRequest } from './workspace.js';

const PASSWORD = 'canary-password';
const ID = '00repo';
const SESSION = '00session00000000000000000';
/** More than everything else together, so that it shows what a fetch transfers. */
const LARGE_BYTES = 1_000_000;
const KEPT = ['HOME', 'GIT_SSL_CAINFO'] as const;
const before = Object.fromEntries(KEPT.map((name) => [name, process.env[name]]));

let certificates = '';
let root = '';
let server: Server;
let port = 0;
/** What the server does instead of serving. */
let instead: ((response: ServerResponse, asked: { path: string; isFetch: boolean }) => boolean) | null = null;
let sentBytes = 0;

beforeAll(async () => {
  certificates = mkdtempSync(join(tmpdir(), 'bullpen-tls-'));
  const [key, cert] = [join(certificates, 'key.pem'), join(certificates, 'cert.pem')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => void serve(request, response));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  rmSync(certificates, { recursive: true, force: true });
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bullpen-source-'));
  instead = null;
  sentBytes = 0;
  mkdirSync(join(root, 'platform'));
  mkdirSync(join(root, 'served'));
  process.env['HOME'] = join(root, 'platform');
  process.env['GIT_SSL_CAINFO'] = join(certificates, 'cert.pem');
  usePassword(PASSWORD);
  git(root, 'init', '-q', '-b', 'main', 'work');
  writeFileSync(join(work(), 'large'), randomBytes(LARGE_BYTES));
  commit('first');
  git(work(), 'branch', 'other');
  git(root, 'clone', '-q', '--bare', 'work', 'served/private.git');
  git(work(), 'remote', 'add', 'served', join(root, 'served', 'private.git'));
});

afterEach(() => {
  for (const name of KEPT) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  rmSync(root, { recursive: true, force: true });
});

/** `git http-backend` behind a password, as a host of private repositories does it: without one, nothing is known to exist. */
async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const expected = `Basic ${Buffer.from(`ada:${PASSWORD}`).toString('base64')}`;
  const body = Buffer.concat(await request.toArray());
  if (instead?.(response, { path: request.url ?? '', isFetch: body.includes('command=fetch') })) return;
  if (request.headers.authorization !== expected) {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end();
    return;
  }
  const { pathname, search } = new URL(request.url ?? '/', 'https://127.0.0.1');
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: join(root, 'served'),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers['content-type'],
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'],
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REMOTE_USER: 'ada',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const output: Buffer[] = [];
  backend.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  backend.stdin.on('error', () => undefined).end(body);
  backend.once('close', () => answer(Buffer.concat(output), response));
}

function answer(output: Buffer, response: ServerResponse): void {
  const end = output.indexOf('\r\n\r\n');
  const lines = output.subarray(0, end).toString().split('\r\n');
  const headers = lines.map((line) => line.split(': ') as [string, string]);
  const status = headers.find(([name]) => name === 'Status')?.[1] ?? '200';
  response.writeHead(Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
  sentBytes += output.length;
  response.end(output.subarray(end + 4));
}

function usePassword(password: string): void {
  writeFileSync(join(root, 'platform', '.gitconfig'), '[credential]\n\thelper = store\n');
  writeFileSync(join(root, 'platform', '.git-credentials'), `https://ada:${password}@127.0.0.1:${port}\n`, { mode: 0o600 });
}

function git(folder: string, ...args: string[]): string {
  const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', LANG: 'C' };
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'safe.directory=*'];
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  return execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8', env, stdio: [...stdio] }).trim();
}

const work = () => join(root, 'work');
const mirror = () => join(root, 'mirrors', `${ID}.source.git`);
const served = () => join(root, 'served', 'private.git');

function commit(name: string): string {
  writeFileSync(join(work(), name), name);
  git(work(), 'add', '.');
  git(work(), 'commit', '-qm', name);
  return git(work(), 'rev-parse', 'HEAD');
}

function push(...refspecs: string[]): void {
  git(work(), 'push', '-q', '-f', 'served', ...refspecs);
}

function sourceAt(path: string, privateHosts = ['127.0.0.1']): UrlSource {
  const source = parseSource(`https://127.0.0.1:${port}/${path}`, { localPaths: false, privateHosts });
  if (source.kind !== 'url') throw new Error('a URL is a URL');
  return source;
}

function provide(more: Partial<Parameters<typeof Mirror.provideSource>[0]> = {}): Promise<string> {
  const request = { mirrorsFolder: join(root, 'mirrors'), repositoryId: ID, source: sourceAt('private.git'), branch: 'main' };
  return Mirror.provideSource({ ...request, ...more });
}

/** As in a sandbox: with a home of its own, where no credential is. */
function clone(more: Partial<CloneRequest> = {}) {
  const workspace = join(root, 'workspace');
  const base = { source: sourceAt('private.git').canonical, sourcePath: mirror(), branch: 'main', workspace, sessionId: SESSION };
  return cloneWorkspace({ ...base, checkpoint: null, home: join(root, 'sandbox-home'), ...more });
}

function textBelow(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1')).join('\n');
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

describe('Mirror.provideSource', () => {
  it('mirrors a private repository, so that a sandbox clones it without a credential', async () => {
    await expect(clone({ sourcePath: null })).rejects.toEqual(code('repository.not-readable'));
    expect(await provide()).toBe(mirror());
    const { base } = await clone();
    expect(base).toBe(git(work(), 'rev-parse', 'main'));
    expect(readFileSync(join(root, 'workspace', 'first'), 'utf8')).toBe('first');
    expect(git(join(root, 'workspace'), 'config', 'remote.origin.url')).toBe(`https://127.0.0.1:${port}/private.git`);
    for (const folder of ['mirrors', 'workspace', 'sandbox-home']) expect(textBelow(join(root, folder))).not.toContain(PASSWORD);
    expect(readFileSync(join(mirror(), 'config'), 'utf8')).not.toContain('127.0.0.1');
  });

  it('holds the branches of the source, its HEAD, and nothing that a session made', async () => {
    git(served(), 'update-ref', 'refs/pull/1/head', 'main');
    git(served(), 'symbolic-ref', 'HEAD', 'refs/heads/other');
    await provide();
    const { base, parent } = await clone();
    writeFileSync(join(root, 'workspace', 'made'), 'made');
    const author = { name: 'Ada', email: 'ada@example.org' };
    const workspace = join(root, 'workspace');
    const branch = sessionBranch(SESSION);
    const { sha, bundle } = await createCheckpoint({ workspace, base, parent, branch, author, message: 'made' });
    const source = join(root, 'served', 'private.git');
    const mirrorsFolder = join(root, 'mirrors');
    const pushed = await Mirror.pushCheckpoint({ mirrorsFolder, repositoryId: ID, source, branch, sha, bundle });
    expect(pushed).toEqual({ pushed: true });
    commit('meanwhile');
    push('main');
    await provide();
    expect(git(mirror(), 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/main\nrefs/heads/other');
    expect(git(mirror(), 'symbolic-ref', 'HEAD')).toBe('refs/heads/other');
    expect(() => git(mirror(), 'cat-file', '-e', sha)).toThrow();
    // Unless a session begins there.
    await provide({ branch });
    expect(git(mirror(), 'rev-parse', branch)).toBe(sha);
  });

  it('transfers nothing when the branch is there, and only what is new when it moved', async () => {
    await provide();
    expect(sentBytes).toBeGreaterThan(LARGE_BYTES);
    sentBytes = 0;
    const packs = readdirSync(join(mirror(), 'objects', 'pack'));
    await provide();
    expect(readdirSync(join(mirror(), 'objects', 'pack'))).toEqual(packs);
    const second = commit('second');
    push('main');
    await provide();
    expect(git(mirror(), 'rev-parse', 'main')).toBe(second);
    expect(sentBytes).toBeLessThan(LARGE_BYTES / 10);
  });

  it('follows rewritten and deleted branches, and keeps what an older checkout stands on', async () => {
    await provide();
    const { base } = await clone();
    writeFileSync(join(root, 'workspace', 'made'), 'made');
    const branch = sessionBranch(SESSION);
    const author = { name: 'Ada', email: 'ada@example.org' };
    const made = await createCheckpoint({ workspace: join(root, 'workspace'), base, parent: base, branch, author, message: 'x' });
    writeFileSync(join(root, 'bundle'), made.bundle);
    git(work(), 'checkout', '-q', '--orphan', 'fresh');
    const rewritten = commit('rewritten');
    push('fresh:main', ':other', 'fresh:other/below');
    git(served(), 'gc', '-q', '--prune=now');
    await provide();
    const refs = git(mirror(), 'for-each-ref', '--format=%(refname:short) %(objectname)');
    expect(refs).toBe(`main ${rewritten}\nother/below ${rewritten}`);
    const checkpoint = { sha: made.sha, base, bundlePath: join(root, 'bundle') };
    expect(await clone({ workspace: join(root, 'later'), checkpoint })).toEqual({ base, parent: made.sha });
  });

  it('lets clones go on while it fetches', async () => {
    await provide();
    const clones = Array.from({ length: 4 }, (_, i) => clone({ workspace: join(root, `w${i}`), home: join(root, `h${i}`) }));
    for (const name of ['second', 'third', 'fourth']) {
      commit(name);
      push('main');
      await provide();
    }
    for (const { base } of await Promise.all(clones)) expect(git(work(), 'merge-base', base, 'main')).toBe(base);
  });

  it('fetches once for several at a time', async () => {
    expect(await Promise.all([provide(), provide({ branch: 'other' }), provide()])).toEqual([mirror(), mirror(), mirror()]);
    expect(sentBytes).toBeLessThan(2 * LARGE_BYTES);
  });

  it.each(['wrong', ''])('says that a repository may not be read with the password %p', async (password) => {
    usePassword(password);
    await expect(provide()).rejects.toEqual(code('repository.not-readable'));
    await expect(probeSource(sourceAt('private.git'), '')).rejects.toEqual(code('repository.not-readable'));
    expect(existsSync(mirror())).toBe(false);
  });

  it('says what is not there', async () => {
    await expect(provide({ source: sourceAt('none.git') })).rejects.toEqual(code('repository.not-found'));
    await expect(provide({ branch: 'nope' })).rejects.toEqual(code('repository.branch-missing'));
    await expect(provide({ branch: '--upload-pack=x' })).rejects.toEqual(code('repository.branch-missing'));
  });

  it('follows no redirect, and goes to no private host that is not listed', async () => {
    const paths: string[] = [];
    instead = (response, { path }) => {
      paths.push(path);
      response.writeHead(302, { location: `https://127.0.0.1:${port}/elsewhere.git/info/refs?service=git-upload-pack` }).end();
      return true;
    };
    const message = expect.stringContaining('elsewhere.git');
    await expect(provide()).rejects.toMatchObject({ code: 'repository.not-found', message });
    expect(paths.filter((path) => path.startsWith('/elsewhere'))).toEqual([]);
    const count = paths.length;
    const unlisted = { ...sourceAt('private.git'), hostListed: false };
    await expect(provide({ source: unlisted })).rejects.toEqual(code('repository.host-not-allowed'));
    expect(paths).toHaveLength(count);
  });

  it('can be tried again after trouble on the network', async () => {
    instead = (response) => (response.writeHead(503).end(), true);
    await expect(provide()).rejects.toEqual(code('repository.unreachable'));
    instead = (response) => (response.destroy(), true);
    await expect(provide()).rejects.toEqual(code('repository.unreachable'));
    delete process.env['GIT_SSL_CAINFO'];
    await expect(provide()).rejects.toEqual(code('repository.unreachable'));
    process.env['GIT_SSL_CAINFO'] = join(certificates, 'cert.pem');
    instead = null;
    expect(await provide()).toBe(mirror());
  });

  it('says that a fetch broke off, and goes on from there', async () => {
    const type = { 'content-type': 'application/x-git-upload-pack-result' };
    instead = (response, { isFetch }) => isFetch && (response.writeHead(200, type).end('000dpackfile\n0010'), true);
    await expect(provide()).rejects.toEqual(code('repository.fetch-failed'));
    instead = null;
    expect(await provide()).toBe(mirror());
  });

  it('stops when it is no longer wanted, also while it waits for another', async () => {
    const abort = new AbortController();
    let stuck: (() => void) | undefined;
    const fetching = new Promise<void>((resolve) => (stuck = resolve));
    instead = (_, { isFetch }) => isFetch && (stuck?.(), true);
    const first = provide({ signal: abort.signal });
    await fetching;
    const waiting = new AbortController();
    const second = provide({ signal: waiting.signal });
    waiting.abort();
    await expect(second).rejects.toEqual(code('git.aborted'));
    abort.abort();
    await expect(first).rejects.toEqual(code('git.aborted'));
    instead = null;
    expect(await provide()).toBe(mirror());
  });

  it('recovers from what a crash leaves', async () => {
    mkdirSync(join(mirror(), 'objects'), { recursive: true });
    await provide();
    commit('second');
    push('main');
    const lock = join(mirror(), 'refs', 'heads', 'main.lock');
    const unfinished = join(mirror(), 'objects', 'pack', 'tmp_pack_x');
    for (const path of [lock, join(mirror(), 'packed-refs.lock'), unfinished]) {
      writeFileSync(path, '');
      utimesSync(path, 1, 1);
    }
    await provide();
    expect(git(mirror(), 'rev-parse', 'main')).toBe(git(work(), 'rev-parse', 'main'));
    expect(existsSync(unfinished)).toBe(false);
  });

  it('makes a damaged mirror anew', async () => {
    await provide();
    for (const name of readdirSync(join(mirror(), 'objects', 'pack'))) rmSync(join(mirror(), 'objects', 'pack', name));
    await provide().catch((error: unknown) => expect(error).toEqual(code('repository.fetch-failed')));
    await provide();
    expect((await clone()).base).toBe(git(work(), 'rev-parse', 'main'));
  });

  it('says when its folder cannot be written to', async () => {
    writeFileSync(join(root, 'mirrors'), '');
    await expect(provide()).rejects.toEqual(code('repository.mirror-failed'));
  });
});
