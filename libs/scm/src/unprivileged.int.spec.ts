import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { Mirror } from './mirror.js';
import { parseSource } from './source.js';
import { isReadableUnprivileged } from './unprivileged.js';

const asRoot = process.getuid?.() === 0 ? it : it.skip;
const ANOTHER_USER = 65_534;
let root = '';
let repository = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bullpen-unprivileged-'));
  chmodSync(root, 0o755);
  repository = join(root, 'home', 'work');
  mkdirSync(repository, { recursive: true });
  git('init', '-q', '-b', 'main');
  git('-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'first');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function git(...args: string[]): string {
  return execFileSync('git', ['-c', 'safe.directory=*', ...args], { cwd: repository, encoding: 'utf8', stdio: 'pipe' }).trim();
}

describe('isReadableUnprivileged', () => {
  it('takes what is open to this user, and what is not there', () => {
    expect(isReadableUnprivileged(repository)).toBe(true);
    expect(isReadableUnprivileged(join(root, 'nothing'))).toBe(true);
  });

  asRoot("sees that only root's rights lead into another user's home", () => {
    chownSync(join(root, 'home'), ANOTHER_USER, ANOTHER_USER);
    chmodSync(join(root, 'home'), 0o700);
    expect(isReadableUnprivileged(repository)).toBe(false);
    chmodSync(join(root, 'home'), 0o711);
    expect(isReadableUnprivileged(repository)).toBe(true);
  });

  asRoot('sees that another user keeps the objects to themselves', () => {
    chownSync(join(repository, '.git', 'objects'), ANOTHER_USER, ANOTHER_USER);
    chmodSync(join(repository, '.git', 'objects'), 0o700);
    expect(isReadableUnprivileged(repository)).toBe(false);
  });

  asRoot('takes no worktree, which leads elsewhere', () => {
    git('worktree', 'add', '-q', join(root, 'tree'));
    expect(isReadableUnprivileged(join(root, 'tree'))).toBe(false);
  });
});

describe('Mirror.provideSource of a path', () => {
  it('mirrors a repository of this machine, and follows it', async () => {
    chmodSync(join(root, 'home'), 0o700);
    if (process.getuid?.() === 0) execFileSync('chown', ['-R', `${ANOTHER_USER}`, join(root, 'home')]);
    const source = parseSource(repository, { localPaths: true, privateHosts: [] });
    const request = { mirrorsFolder: join(root, 'mirrors'), repositoryId: '00repo', source, branch: 'main' };
    const mirror = await Mirror.provideSource(request);
    expect(execFileSync('git', ['--git-dir', mirror, 'rev-parse', 'main'], { encoding: 'utf8' }).trim()).toBe(git('rev-parse', 'main'));
    expect(isReadableUnprivileged(mirror)).toBe(true);
    git('-c', 'user.name=A', '-c', 'user.email=a@b', 'commit', '-q', '--allow-empty', '-m', 'second');
    await Mirror.provideSource(request);
    expect(execFileSync('git', ['--git-dir', mirror, 'rev-parse', 'main'], { encoding: 'utf8' }).trim()).toBe(git('rev-parse', 'main'));
  });
});
