import { afterEach, describe, expect, it } from '@jest/globals';
import { SANDBOX_ID_VARIABLE } from '@bullpen/contracts';

import { GitFailed, git } from './git.js';

/** A git command that runs a shell line. */
const shell = (line: string) => ['-c', `alias.run=!${line}`, 'run'];

describe('git', () => {
  afterEach(() => {
    delete process.env[SANDBOX_ID_VARIABLE];
    delete process.env['PLATFORM_PASSWORD'];
  });

  it('passes on which sandbox it belongs to, and nothing that it need not know', async () => {
    process.env[SANDBOX_ID_VARIABLE] = '00x-1';
    process.env['PLATFORM_PASSWORD'] = 'not-for-git';
    const environment = (await git(shell('env'))).stdout.toString();
    expect(environment).toContain(`${SANDBOX_ID_VARIABLE}=00x-1\n`);
    expect(environment).not.toContain('not-for-git');
  });

  it('ends everything it started when it takes too long', async () => {
    const before = Date.now();
    await expect(git(shell('sleep 20'), { timeoutMs: 200 })).rejects.toMatchObject({ code: 'git.timeout' });
    expect(Date.now() - before).toBeLessThan(5_000);
  });

  it('does not wait for what holds its pipes in a session of its own', async () => {
    const before = Date.now();
    expect((await git(shell('echo out; setsid sleep 9 &'))).stdout.toString()).toBe('out\n');
    await expect(git(shell('setsid sleep 9'), { timeoutMs: 200 })).rejects.toMatchObject({ code: 'git.timeout' });
    expect(Date.now() - before).toBeLessThan(8_500);
  });

  it('stops when its result is no longer wanted', async () => {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    await expect(git(shell('sleep 20'), { signal: abort.signal })).rejects.toMatchObject({ code: 'git.aborted' });
  });

  it('stops when there is more output than asked for', async () => {
    await expect(git(shell('yes'), { maxOutputBytes: 100_000 })).rejects.toMatchObject({ code: 'git.output-too-large' });
  });

  it('keeps what git wrote when it fails', async () => {
    const failure = await git(shell('echo out; echo err >&2; exit 3')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(GitFailed);
    expect(failure).toMatchObject({ exitCode: 3, stderr: 'err\n', stdout: Buffer.from('out\n') });
  });
});
