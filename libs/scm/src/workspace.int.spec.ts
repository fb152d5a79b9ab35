import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sessionBranch } from '@bullpen/contracts';

import { createCheckpoint } from './checkpoint.js';
import type { Checkpoint } from './checkpoint.js';
import { Mirror } from './mirror.js';
import { probeSource } from './probe.js';
import { parseSource } from './source.js';
import { changedFiles, cloneWorkspace } from './workspace.js';
import type { ClonedWorkspace, CloneRequest } from './workspace.js';

const session = '00session00000000000000000';
const branch = sessionBranch(session);
const author = { name: 'Ada Lovelace', email: 'ada@example.com' };
const isRoot = process.getuid?.() === 0;

let root = '';
let source = '';
let workspace = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bullpen-scm-'));
  source = join(root, 'source');
  workspace = join(root, 'workspace');
  makeRepository(source);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function git(folder: string, ...args: string[]): string {
  const environment = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', LANG: 'C' };
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com', '-c', 'safe.directory=*'];
  return execFileSync('git', [...identity, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

function write(folder: string, path: string, text: string | Buffer): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function makeRepository(folder: string): void {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '-q', '-b', 'main');
  write(folder, 'a.txt', 'one\ntwo\nthree\nfour\n');
  write(folder, '.gitignore', 'ignored/\n*.log\n');
  git(folder, 'add', '.');
  git(folder, 'commit', '-qm', 'first');
  git(folder, 'branch', 'other');
}

function clone(more: Partial<CloneRequest> = {}): Promise<ClonedWorkspace> {
  const request = {
    source,
    sourcePath: null,
    branch: 'main',
    workspace,
    sessionId: session,
    checkpoint: null,
    home: join(root, 'home'),
  };
  return cloneWorkspace({ ...request, ...more });
}

function checkpoint({ base, parent }: ClonedWorkspace, message = 'do it'): Promise<Checkpoint> {
  return createCheckpoint({ workspace, base, parent, branch, author, message });
}

function filesOf(sha: string): string[] {
  return git(workspace, 'ls-tree', '-r', '--name-only', sha).split('\n');
}

function code(expected: string): unknown {
  return expect.objectContaining({ code: expected });
}

describe('probeSource', () => {
  const probe = (path: string, wanted = '') => probeSource(parseSource(path, { localPaths: true, privateHosts: [] }), wanted);

  it('finds the default branch and the one asked for', async () => {
    const headSha = git(source, 'rev-parse', 'main');
    expect(await probe(`${source}/`)).toEqual({
      canonicalSource: source,
      name: 'source',
      defaultBranch: 'main',
      branch: 'main',
      headSha,
    });
    expect(await probe(source, 'other')).toMatchObject({ defaultBranch: 'main', branch: 'other' });
  });

  it('says what is wrong with a path', async () => {
    await expect(probe(join(root, 'none'))).rejects.toEqual(code('repository.not-found'));
    mkdirSync(join(root, 'plain'));
    await expect(probe(join(root, 'plain'))).rejects.toEqual(code('repository.not-git'));
    mkdirSync(join(root, 'broken', '.git'), { recursive: true });
    await expect(probe(join(root, 'broken'))).rejects.toEqual(code('repository.not-git'));
    mkdirSync(join(root, 'empty'));
    git(join(root, 'empty'), 'init', '-q');
    await expect(probe(join(root, 'empty'))).rejects.toEqual(code('repository.empty'));
    await expect(probe(source, 'nope')).rejects.toEqual(code('repository.branch-missing'));
    await expect(probe(source, '--upload-pack=x')).rejects.toEqual(code('repository.branch-missing'));
  });

  (isRoot ? it.skip : it)('says when a path may not be read', async () => {
    chmodSync(source, 0);
    await expect(probe(source)).rejects.toEqual(code('repository.not-readable'));
    chmodSync(source, 0o700);
  });

  it('works with bare repositories, with a detached HEAD and with no branch at HEAD', async () => {
    git(root, 'clone', '-q', '--bare', source, join(root, 'bare.git'));
    expect(await probe(join(root, 'bare.git'))).toMatchObject({ name: 'bare', defaultBranch: 'main' });
    git(source, 'checkout', '-q', '--detach');
    expect(await probe(source)).toMatchObject({ defaultBranch: 'main' });
    git(source, 'symbolic-ref', 'HEAD', 'refs/heads/gone');
    expect(await probe(source)).toMatchObject({ defaultBranch: 'main' });
  });

  (isRoot ? it : it.skip)('reads a repository of another user', async () => {
    execFileSync('chown', ['-R', '12345', source]);
    expect(await probe(source)).toMatchObject({ branch: 'main' });
    expect(await clone()).toMatchObject({ base: git(source, 'rev-parse', 'main') });
  });

  it('does not look at a name that leads to a private address', async () => {
    const lying = { kind: 'url', canonical: 'https://localhost/x', name: 'x', host: 'localhost', hostListed: false } as const;
    await expect(probeSource(lying, '')).rejects.toEqual(code('repository.host-not-allowed'));
  });

  it('says that a server does not answer', async () => {
    const closed = parseSource('https://127.0.0.1:9/x', { localPaths: true, privateHosts: ['127.0.0.1'] });
    await expect(probeSource(closed, '')).rejects.toEqual(code('repository.unreachable'));
  });

  it('stops when the caller does', async () => {
    const parsed = parseSource(source, { localPaths: true, privateHosts: [] });
    await expect(probeSource(parsed, '', { signal: AbortSignal.abort() })).rejects.toEqual(code('git.aborted'));
  });
});

describe('cloneWorkspace', () => {
  it('checks the branch out as a branch of the session', async () => {
    const lines: string[] = [];
    const { base, parent } = await clone({ onProgress: (line) => lines.push(line) });
    expect([base, parent]).toEqual([git(source, 'rev-parse', 'main'), base]);
    expect(git(workspace, 'symbolic-ref', '--short', 'HEAD')).toBe(branch);
    expect(git(workspace, 'status', '--porcelain')).toBe('');
    expect(lines.length).toBeGreaterThan(0);
  });

  it('reads from where the sandbox sees the source', async () => {
    renameSync(source, join(root, 'mounted'));
    await clone({ sourcePath: join(root, 'mounted') });
    expect(existsSync(join(workspace, 'a.txt'))).toBe(true);
  });

  it('names a branch that is missing, and a source that cannot be read', async () => {
    await expect(clone({ branch: 'nope' })).rejects.toEqual(code('repository.branch-missing'));
    await expect(clone({ branch: '-x' })).rejects.toEqual(code('repository.branch-missing'));
    await expect(clone({ source: join(root, 'none') })).rejects.toEqual(code('repository.not-readable'));
  });

  it('keeps a checkout of the same session, with what the agent left', async () => {
    const first = await clone();
    write(workspace, 'work.txt', 'unfinished');
    expect(await clone()).toEqual(first);
    expect(readFileSync(join(workspace, 'work.txt'), 'utf8')).toBe('unfinished');
  });

  it('replaces what is not a whole checkout of the session', async () => {
    await clone({ sessionId: '00another00000000000000000' });
    write(workspace, 'work.txt', 'of another session');
    await clone();
    expect(existsSync(join(workspace, 'work.txt'))).toBe(false);
    rmSync(join(workspace, '.git', 'bullpen', 'HEAD'));
    await clone();
    expect(git(workspace, 'status', '--porcelain')).toBe('');
  });

  it('goes on from a checkpoint in an empty workspace', async () => {
    const started = await clone();
    write(workspace, 'b.txt', 'new\n');
    const made = await checkpoint(started);
    rmSync(workspace, { recursive: true });
    write(root, 'bundle', made.bundle);
    git(source, 'commit', '-q', '--allow-empty', '-m', 'meanwhile');
    const saved = { sha: made.sha, base: made.base, bundlePath: join(root, 'bundle') };
    expect(await clone({ checkpoint: saved })).toEqual({ base: started.base, parent: made.sha });
    expect(readFileSync(join(workspace, 'b.txt'), 'utf8')).toBe('new\n');
    expect(git(workspace, 'rev-parse', 'HEAD')).toBe(made.sha);
    expect(await clone({ checkpoint: saved })).toEqual({ base: started.base, parent: made.sha });
  });

  it('does not count a checkpoint that never reached the log', async () => {
    const started = await clone();
    write(workspace, 'b.txt', 'new\n');
    await checkpoint(started);
    const again = await clone();
    expect(again).toEqual(started);
    expect((await checkpoint(again)).files.map(({ path }) => path)).toEqual(['b.txt']);
  });

  it('says when a checkpoint cannot be restored', async () => {
    write(root, 'bundle', 'nonsense');
    const saved = { sha: 'a'.repeat(40), base: 'b'.repeat(40), bundlePath: join(root, 'bundle') };
    await expect(clone({ checkpoint: saved })).rejects.toEqual(code('checkpoint.not-restorable'));
  });
});

describe('changedFiles', () => {
  it('lists every kind of change, and leaves the staging of the agent alone', async () => {
    const { base } = await clone();
    write(workspace, 'a.txt', 'one\n2\nthree\nfour\nfive\n');
    write(workspace, 'sub/ü b.txt', 'x\n');
    write(workspace, 'picture.png', Buffer.from([0, 1, 2, 0, 255]));
    write(workspace, 'ignored/x', 'x');
    git(workspace, 'rm', '-q', '--cached', '.gitignore');
    git(workspace, 'add', 'picture.png');
    const before = git(workspace, 'status', '--porcelain');
    const { files, total } = await changedFiles({ workspace, base });
    expect(total).toBe(3);
    expect(files).toEqual([
      { path: 'a.txt', change: 'modified', previousPath: '', insertions: 2, deletions: 1, binary: false },
      { path: 'picture.png', change: 'added', previousPath: '', insertions: 0, deletions: 0, binary: true },
      { path: 'sub/ü b.txt', change: 'added', previousPath: '', insertions: 1, deletions: 0, binary: false },
    ]);
    expect(git(workspace, 'status', '--porcelain')).toBe(before);
  });

  it('finds renames and deletions, and nothing where nothing changed', async () => {
    const { base } = await clone();
    expect(await changedFiles({ workspace, base })).toEqual({ files: [], total: 0 });
    renameSync(join(workspace, 'a.txt'), join(workspace, 'moved.txt'));
    rmSync(join(workspace, '.gitignore'));
    expect((await changedFiles({ workspace, base })).files).toEqual([
      { path: '.gitignore', change: 'deleted', previousPath: '', insertions: 0, deletions: 2, binary: false },
      { path: 'moved.txt', change: 'renamed', previousPath: 'a.txt', insertions: 0, deletions: 0, binary: false },
    ]);
  });

  it('cuts the list, not the count', async () => {
    const { base } = await clone();
    for (let at = 0; at < 520; at += 1) write(workspace, `many/${at}`, `${at}`);
    const { files, total } = await changedFiles({ workspace, base });
    expect([files.length, total]).toEqual([500, 520]);
  });

  it('says when the repository is gone', async () => {
    const { base } = await clone();
    rmSync(join(workspace, '.git'), { recursive: true });
    await expect(changedFiles({ workspace, base })).rejects.toEqual(code('workspace.not-a-repository'));
  });
});

describe('createCheckpoint', () => {
  it('commits everything that is not ignored in the name of the prompting user', async () => {
    const started = await clone();
    write(workspace, 'hello.txt', 'hi\n');
    write(workspace, 'x.log', 'ignored');
    const made = await checkpoint(started, 'Say hello');
    expect(git(workspace, 'log', '-1', '--format=%an <%ae>|%cn <%ce>|%B', made.sha)).toBe(
      'Ada Lovelace <ada@example.com>|Bullpen <bullpen@localhost>|Say hello',
    );
    expect(made).toMatchObject({ parent: started.base, base: started.base, stats: { files: 1, insertions: 1, deletions: 0 } });
    expect(filesOf(made.sha)).toEqual(['.gitignore', 'a.txt', 'hello.txt']);
    expect(git(workspace, 'status', '--porcelain')).toBe('');
    expect(git(workspace, 'rev-parse', 'HEAD', branch)).toBe(`${made.sha}\n${made.sha}`);
    expect(made.patch.equals(made.turnPatch)).toBe(true);
  });

  it('gives a patch that applies and a bundle that a clone can fetch', async () => {
    const started = await clone();
    write(workspace, 'picture.png', Buffer.from([0, 1, 2, 0, 255]));
    const first = await checkpoint(started);
    write(workspace, 'a.txt', 'changed\n');
    const second = await checkpoint({ base: first.base, parent: first.sha });
    expect(second.stats.files).toBe(2);
    expect(second.turnPatch.toString()).not.toContain('picture.png');
    write(root, 'patch', second.patch);
    write(root, 'bundle', second.bundle);
    git(source, 'apply', '--index', join(root, 'patch'));
    git(source, 'fetch', '-q', join(root, 'bundle'), `${branch}:taken`);
    expect(git(source, 'write-tree')).toBe(git(source, 'rev-parse', 'taken^{tree}'));
    expect(git(source, 'rev-parse', 'taken')).toBe(second.sha);
  });

  it('commits nothing when nothing changed, and still gives all that restoring it takes', async () => {
    const started = await clone();
    const untouched = await checkpoint(started);
    expect(untouched).toMatchObject({ sha: started.base, parent: started.base, stats: { files: 0 } });
    expect([untouched.patch.length, untouched.turnPatch.length, untouched.bundle.length]).toEqual([0, 0, 0]);
    write(workspace, 'hello.txt', 'hi\n');
    const made = await checkpoint(started);
    const again = await checkpoint({ base: made.base, parent: made.sha });
    expect(again).toMatchObject({ sha: made.sha, parent: made.sha, stats: { files: 1 } });
    expect(again.turnPatch.length).toBe(0);
    expect(again.patch.equals(made.patch)).toBe(true);
    write(root, 'bundle', again.bundle);
    git(source, 'fetch', '-q', join(root, 'bundle'), `${branch}:taken`);
    expect(git(source, 'rev-parse', 'taken')).toBe(made.sha);
  });

  it('takes in what the agent committed, on whatever branch, and says so', async () => {
    const started = await clone();
    git(workspace, 'checkout', '-q', '-b', 'agents-own');
    write(workspace, 'b.txt', 'b\n');
    git(workspace, 'add', '.');
    git(workspace, 'commit', '-qm', 'Add b');
    git(workspace, 'checkout', '-q', '--detach');
    write(workspace, 'c.txt', 'c\n');
    const made = await checkpoint(started);
    expect(filesOf(made.sha)).toEqual(['.gitignore', 'a.txt', 'b.txt', 'c.txt']);
    expect(git(workspace, 'log', '--format=%an', `${started.base}..${made.sha}`)).toBe('Ada Lovelace');
    expect(git(workspace, 'log', '-1', '--format=%b', made.sha)).toContain('- Add b');
    expect(git(workspace, 'symbolic-ref', '--short', 'HEAD')).toBe(branch);
    expect(git(workspace, 'rev-parse', '--verify', 'agents-own')).toBeTruthy();
  });

  it('copes with conflicts, lock files, a broken index and a broken HEAD', async () => {
    const started = await clone();
    git(workspace, 'checkout', '-q', '-b', 'x');
    write(workspace, 'a.txt', 'theirs\n');
    git(workspace, 'commit', '-qam', 'theirs');
    git(workspace, 'checkout', '-q', branch);
    write(workspace, 'a.txt', 'ours\n');
    git(workspace, 'commit', '-qam', 'ours');
    expect(() => git(workspace, 'merge', 'x')).toThrow();
    for (const lock of ['index.lock', 'HEAD.lock', `refs/heads/${branch}.lock`]) write(join(workspace, '.git'), lock, '');
    const first = await checkpoint(started);
    expect(git(workspace, 'show', `${first.sha}:a.txt`)).toContain('<<<<<<<');
    expect(git(workspace, 'status')).not.toContain('merg');
    write(workspace, '.git/index', 'garbage');
    write(workspace, '.git/HEAD', 'ref: refs/heads/none\n');
    write(workspace, 'd.txt', 'd\n');
    const second = await checkpoint({ base: first.base, parent: first.sha });
    expect(filesOf(second.sha)).toContain('d.txt');
    write(workspace, '.git/bullpen/index', 'garbage');
    write(workspace, '.git/bullpen/index.lock', '');
    write(workspace, 'e.txt', 'e\n');
    expect(filesOf((await checkpoint({ base: first.base, parent: second.sha })).sha)).toContain('e.txt');
    expect(git(workspace, 'status', '--porcelain')).toBe('');
  });

  it('takes nested repositories in as files', async () => {
    const started = await clone();
    makeRepository(join(workspace, 'nested one'));
    mkdirSync(join(workspace, 'deep/unborn'), { recursive: true });
    git(join(workspace, 'deep/unborn'), 'init', '-q');
    write(workspace, 'deep/unborn/u.txt', 'u');
    const made = await checkpoint(started);
    expect(filesOf(made.sha)).toEqual(['.gitignore', 'a.txt', 'deep/unborn/u.txt', 'nested one/.gitignore', 'nested one/a.txt']);
    const again = await checkpoint({ base: made.base, parent: made.sha });
    expect(again.sha).toBe(made.sha);
  });

  it('takes in an ignored file that the agent added by force, executables and links', async () => {
    const started = await clone();
    write(workspace, 'ignored/wanted', 'x');
    git(workspace, 'add', '-f', 'ignored/wanted');
    write(workspace, 'run.sh', '#!/bin/sh\n');
    chmodSync(join(workspace, 'run.sh'), 0o755);
    symlinkSync('/etc/passwd', join(workspace, 'link'));
    const made = await checkpoint(started);
    expect(filesOf(made.sha)).toEqual(['.gitignore', 'a.txt', 'ignored/wanted', 'link', 'run.sh']);
    expect(git(workspace, 'ls-tree', made.sha, 'run.sh', 'link')).toMatch(/^120000.*link\n100755.*run.sh$/s);
  });

  it('runs nothing that the agent configured', async () => {
    const started = await clone();
    const canary = join(root, 'canary');
    const script = `touch ${canary}`;
    const settings = [
      'filter.x.clean',
      'filter.x.smudge',
      'filter.x.process',
      'diff.x.command',
      'diff.x.textconv',
      'diff.external',
      'core.fsmonitor',
      'core.sshCommand',
      'core.editor',
      'gpg.program',
      'core.alternateRefsCommand',
      'uploadpack.packObjectsHook',
    ];
    for (const name of settings) git(workspace, 'config', name, script);
    for (const name of ['commit.gpgSign', 'log.showSignature', 'filter.x.required']) git(workspace, 'config', name, 'true');
    git(workspace, 'config', 'core.hooksPath', join(root, 'hooks'));
    for (const hook of [
      'pre-commit',
      'post-commit',
      'reference-transaction',
      'post-index-change',
      'post-checkout',
      'commit-msg',
    ]) {
      for (const folder of [join(root, 'hooks'), join(workspace, '.git/hooks')]) {
        write(folder, hook, `#!/bin/sh\n${script}\n`);
        chmodSync(join(folder, hook), 0o755);
      }
    }
    write(workspace, '.gitattributes', '* filter=x diff=x\n');
    write(workspace, 'b.txt', 'b\n');
    await changedFiles({ workspace, base: started.base });
    const made = await checkpoint(started);
    expect(made.stats.files).toBe(2);
    expect(git(workspace, 'cat-file', 'blob', `${made.sha}:b.txt`)).toBe('b');
    expect(existsSync(canary)).toBe(false);
    await clone();
    expect(existsSync(canary)).toBe(false);
  });

  it('survives a garbage collection by the agent', async () => {
    const started = await clone();
    write(workspace, 'b.txt', 'b\n');
    await changedFiles({ workspace, base: started.base });
    git(workspace, 'checkout', '-q', '--orphan', 'fresh');
    git(workspace, 'gc', '-q', '--prune=now');
    const made = await checkpoint(started);
    expect(filesOf(made.sha)).toContain('b.txt');
  });

  it('makes do with a name that git would refuse', async () => {
    const started = await clone();
    write(workspace, 'b.txt', 'b\n');
    const made = await createCheckpoint({ workspace, ...started, branch, author: { name: ' <>\n', email: '' }, message: '\0' });
    expect(git(workspace, 'log', '-1', '--format=%an|%ae|%s', made.sha)).toBe('Bullpen user|user@localhost|Checkpoint');
  });
});

describe('Mirror.pushCheckpoint', () => {
  const mirrorsFolder = () => join(root, 'mirrors');
  const push = (made: Checkpoint, more = {}) =>
    Mirror.pushCheckpoint({
      mirrorsFolder: mirrorsFolder(),
      repositoryId: '00repo',
      source,
      branch,
      sha: made.sha,
      bundle: made.bundle,
      ...more,
    });

  async function made(text = 'hi\n'): Promise<Checkpoint> {
    const started = await clone();
    write(workspace, 'hello.txt', text);
    return checkpoint(started);
  }

  it('pushes the branch and nothing else, again too', async () => {
    const first = await made();
    const before = git(source, 'for-each-ref');
    expect(await push(first)).toEqual({ pushed: true });
    expect(await push(first)).toEqual({ pushed: true });
    expect(git(source, 'rev-parse', branch)).toBe(first.sha);
    git(source, 'branch', '-q', '-D', branch);
    expect(git(source, 'for-each-ref')).toBe(before);
    expect(git(source, 'status', '--porcelain')).toBe('');
  });

  it('pushes a later checkpoint, and a rewritten branch', async () => {
    const first = await made();
    await push(first);
    write(workspace, 'hello.txt', 'again\n');
    const second = await checkpoint({ base: first.base, parent: first.sha });
    expect(await push(second)).toEqual({ pushed: true });
    write(workspace, 'hello.txt', 'otherwise\n');
    const third = await checkpoint({ base: first.base, parent: first.base });
    expect(await push(third)).toEqual({ pushed: true });
    expect(git(source, 'rev-parse', branch)).toBe(third.sha);
  });

  (isRoot ? it : it.skip)('leaves no file of root in the repository of another user', async () => {
    const first = await made();
    chmodSync(root, 0o755);
    execFileSync('chown', ['-R', '12345:12345', source]);
    expect(await push(first)).toEqual({ pushed: true });
    expect(execFileSync('find', [source, '-uid', '0'], { encoding: 'utf8' })).toBe('');
  });

  it('runs no hook of the source, nor what its configuration names', async () => {
    const first = await made();
    const borrowed = join(root, 'borrowed');
    makeRepository(borrowed);
    write(source, '.git/objects/info/alternates', `${join(borrowed, '.git/objects')}\n`);
    git(source, 'config', 'core.alternateRefsCommand', `touch ${join(root, 'canary')};:`);
    git(source, 'config', 'core.fsmonitor', `touch ${join(root, 'canary')};:`);
    for (const hook of ['pre-receive', 'update', 'post-receive', 'post-update', 'reference-transaction']) {
      write(join(source, '.git/hooks'), hook, `#!/bin/sh\ntouch ${join(root, 'canary')}\n`);
      chmodSync(join(source, '.git/hooks', hook), 0o755);
    }
    expect(await push(first)).toEqual({ pushed: true });
    expect(existsSync(join(root, 'canary'))).toBe(false);
  });

  it('never touches a branch that is checked out, whatever the source allows', async () => {
    const first = await made();
    git(source, 'checkout', '-q', '-b', branch);
    for (const value of ['ignore', 'updateInstead']) {
      git(source, 'config', 'receive.denyCurrentBranch', value);
      expect(await push(first)).toMatchObject({ pushed: false, reason: { code: 'push.refused' } });
    }
    expect(git(source, 'rev-parse', branch)).toBe(first.base);
  });

  it('says why a source refuses', async () => {
    const first = await made();
    git(source, 'branch', 'bullpen');
    expect(await push(first)).toMatchObject({
      pushed: false,
      reason: { code: 'push.refused', message: expect.stringContaining(source) },
    });
  });

  (isRoot ? it : it.skip)("says the remote's cause, which the summary of the ref leaves out", async () => {
    const first = await made();
    chmodSync(root, 0o755);
    execFileSync('chown', ['-R', '12345:12345', source]);
    execFileSync('chown', ['-R', '0:0', join(source, '.git/objects')]);
    const outcome = await push(first);
    expect(outcome).toMatchObject({ pushed: false, reason: { code: 'push.refused', message: expect.stringContaining('remote unpack failed: unable to create') } });
  });

  it('says when the source is gone', async () => {
    const first = await made();
    renameSync(source, join(root, 'elsewhere'));
    expect(await push(first)).toMatchObject({ pushed: false, reason: { code: 'push.not-readable' } });
  });

  it('takes only a bundle of exactly that branch and commit', async () => {
    const first = await made();
    git(workspace, 'bundle', 'create', '-q', join(root, 'two'), branch, 'main');
    git(workspace, 'update-ref', 'refs/heads/main', first.sha);
    git(workspace, 'bundle', 'create', '-q', join(root, 'main'), 'main', `^${first.base}`);
    const bundles = [
      Buffer.from('nonsense'),
      readFileSync(join(root, 'two')),
      readFileSync(join(root, 'main')),
      first.bundle.subarray(0, -30),
    ];
    for (const bundle of bundles) {
      expect(await push(first, { bundle })).toMatchObject({ pushed: false, reason: { code: 'push.bundle-invalid' } });
    }
    expect(await push(first, { sha: first.base })).toMatchObject({ pushed: false, reason: { code: 'push.bundle-invalid' } });
    expect(() => git(source, 'rev-parse', '--verify', branch)).toThrow();
  });

  it.each([
    { branch: 'main' },
    { branch: 'bullpen/../main' },
    { repositoryId: '../x' },
    { sha: 'HEAD' },
    { source: '--receive-pack=x' },
    { bundle: Buffer.alloc(0) },
  ])('refuses to be asked for %j', async (more) => {
    const first = await made();
    await expect(push(first, more)).rejects.toEqual(code('push.request-invalid'));
  });

  it('pushes several sessions of one repository at once', async () => {
    const sessions = ['00a', '00b', '00c', '00d'].map((name) => `${name}00000000000000000000`);
    const pushes = sessions.map(async (sessionId) => {
      const place = join(root, sessionId);
      const started = await clone({ workspace: place, sessionId, home: join(root, `home-${sessionId}`) });
      write(place, 'x', sessionId);
      const own = await createCheckpoint({
        workspace: place,
        ...started,
        branch: sessionBranch(sessionId),
        author,
        message: 'x',
      });
      return push(own, { branch: sessionBranch(sessionId) });
    });
    expect(await Promise.all(pushes)).toEqual(sessions.map(() => ({ pushed: true })));
  });
});
