import { execFileSync } from 'node:child_process';
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ID, OTHER_ID, Platform } from '../test/platform.harness.js';
import type { CliEnd, CliOptions } from '../test/platform.harness.js';

/** Goal: every command as a person types it. Method: the CLI in this process, against a small platform that speaks the real protocol. */
let home: string;
let platform: Platform;
const linesOf = (text: string): unknown[] => text.trim().split('\n').map((line) => JSON.parse(line) as unknown);
const cli = (args: readonly string[], options?: CliOptions): Promise<CliEnd> => platform.cli(args, options);

beforeEach(async () => {
  platform = await Platform.start();
  home = platform.home;
});
afterEach(() => platform.remove());

describe('bullpen run', () => {
  it('streams the turn and exits 0 when it completed', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    const { code, stdout, stderr } = await cli(['run', '--repo', 'sample', 'say hi']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('Scripted model: no API key set');
    expect(stdout).toContain('> say hi\n');
    expect(stdout).toMatch(/hello from the agent\n[^]*pushed[^]*✓ completed in 1\.0s\n$/);
    expect(platform.requests[0]).toMatchObject({ method: 'POST', url: '/api/v1/sessions', body: { repository: 'sample', prompt: 'say hi' } });
  });

  it('exits 1 when the turn failed or was cancelled, and says how to try again', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'failed');
    const failed = await cli(['run', '--repo', 'sample', 'x']);
    expect(failed).toMatchObject({ code: 1, stderr: `To try that turn again:  ./bullpen retry ${ID}\n` });
    expect(failed.stdout).toContain('✗ failed');
    platform.reset();
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'cancelled');
    expect(await cli(['run', '--repo', 'sample', 'x'])).toMatchObject({ code: 1, stderr: '' });
  });

  it('goes on exactly where it was when the connection is cut, and says so', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed', { cutAfter: 'AssistantTextAppended' });
    const { code, stdout, stderr } = await cli(['run', '--repo', 'sample', 'x']);
    expect(code).toBe(0);
    expect(stderr).toBe('! connection lost, retrying…\n! connected again\n');
    expect(stdout.match(/hello from the agent/g)).toHaveLength(1);
    expect(platform.subscriptions.map((request) => request.after)).toEqual(['0', platform.cutAt]);
  });

  it('sends a command again under the same key until it gets through, and once only takes effect', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    platform.failures = ['destroy', 503];
    const { code, stderr } = await cli(['run', '--repo', 'sample', 'x']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '! The log is restarting. Trying again…\n' });
    const keys = platform.requests.filter(({ method }) => method === 'POST').map(({ key }) => key);
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    expect(keys[0]).toBeTruthy();
  });

  it('makes a path absolute, reads the prompt from standard input, and leaves names alone', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    mkdirSync(join(home, 'shop'));
    await cli(['run', '--repo', './shop', '--branch', 'b', '--title', 't', '-'], { cwd: home, stdin: 'from stdin' });
    expect(platform.requests[0]?.body).toEqual({ repository: join(home, 'shop'), branch: 'b', title: 't', prompt: 'from stdin' });
  });

  it('finds a repository of the platform by its name, and says so when there is none', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    expect(await cli(['run', '--repo', '00r', 'x'])).toMatchObject({ code: 0 });
    expect(platform.requests.find(({ method }) => method === 'POST')?.body).toMatchObject({ repository: '00r' });
    expect(await cli(['run', '--repo', 'acme/shop', 'x'])).toMatchObject({ code: 3, stderr: expect.stringContaining('repository.unknown') as unknown });
  });

  it('finds the working copy that a folder lies in, and says what of it is not included', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    const top = join(realpathSync(home), 'copy');
    mkdirSync(join(top, 'inner', 'most'), { recursive: true });
    execFileSync('git', ['init', '-q', top]);
    const clean = await cli(['run', '--repo', '.', 'x'], { cwd: join(top, 'inner', 'most') });
    expect(platform.requests[0]?.body).toMatchObject({ repository: top });
    expect(clean.stderr).toBe('');
    platform.reset();
    writeFileSync(join(top, 'new.txt'), 'x');
    const changed = await cli(['run', '--repo', './inner', 'x'], { cwd: top });
    expect(changed).toMatchObject({ code: 0, stderr: expect.stringContaining('1 uncommitted change is not included') as unknown });
  });

  it('says what helps instead of a retry that would end in the same way', async () => {
    platform.onPrompt = (promptId) => {
      platform.startTurn(promptId);
      platform.endTurn('failed', 'checkpoint.holds-secret');
    };
    const { stderr } = await cli(['run', '--repo', 'sample', 'x']);
    expect(stderr).toBe(`To go on:  ./bullpen prompt ${ID} "remove the key from the files"\n`);
    platform.reset();
    platform.onPrompt = (promptId) => {
      platform.startTurn(promptId);
      const reason = { code: 'model.not-configured', message: 'No.' };
      platform.append('SandboxSpawnFailed', { generation: 1, attempt: 1, reason, logTail: '', retryAt: '' });
      platform.endTurn('failed', 'sandbox.failed');
    };
    expect((await cli(['run', '--repo', 'sample', 'x'])).stderr).toMatch(/start a new session: {2}\.\/bullpen run [^\n]*\n$/);
  });

  it('detaches at Ctrl-C, and says how to come back', async () => {
    platform.onPrompt = (promptId) => platform.startTurn(promptId);
    let interrupt = (): void => undefined;
    const running = cli(['run', '--repo', 'sample', 'x'], { onInterrupt: (callback) => (interrupt = callback) });
    await platform.subscribed();
    interrupt();
    const { code, stderr } = await running;
    expect(code).toBe(130);
    expect(stderr).toContain(`./bullpen attach ${ID}`);
  });
});

describe('bullpen prompt', () => {
  it('shows nothing of the turn before its own', async () => {
    platform.create();
    platform.startTurn(platform.queue('first'));
    platform.onPrompt = (promptId) => {
      platform.endTurn('completed');
      platform.playTurn(promptId, 'completed');
    };
    const { code, stdout, stderr } = await cli(['prompt', 'x7', 'second']);
    expect(code).toBe(0);
    expect(stderr).toBe('Queued, next in line.\n');
    expect(stdout).not.toContain('> first');
    expect(stdout).toContain('> second\n');
    expect(stdout.match(/✓ completed/g)).toHaveLength(1);
    expect(stdout).toContain('Scripted model: no API key set');
  });

  it('does not wait behind a sandbox that could not be started', async () => {
    platform.create();
    platform.startTurn(platform.queue('first'));
    platform.onPrompt = () => platform.endTurn('failed', 'sandbox.failed');
    const { code, stderr } = await cli(['prompt', ID, 'second']);
    expect(code).toBe(1);
    expect(stderr).toContain(`Prompts wait because no sandbox could be started. To go on:  ./bullpen retry ${ID}`);
  });

  it('only queues with --no-wait', async () => {
    platform.create();
    const { code, stdout } = await cli(['prompt', ID, 'later', '--no-wait']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'prompt1\n' });
    expect(platform.subscriptions).toEqual([]);
  });
});

describe('bullpen attach', () => {
  it('shows what was and ends when nothing runs or waits, with the outcome of the last turn', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'completed');
    platform.playTurn(platform.queue('two'), 'failed');
    const { code, stdout } = await cli(['attach', 'last']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/> one\n[^]*✓ completed[^]*> two\n[^]*✗ failed/);
  });

  it('waits for the running turn and for what is queued behind it', async () => {
    platform.create();
    platform.startTurn(platform.queue('one'));
    const second = platform.queue('two');
    const attached = cli(['attach', ID]);
    await platform.subscribed();
    platform.endTurn('failed');
    platform.playTurn(second, 'completed');
    const { code, stdout } = await attached;
    expect(code).toBe(0);
    expect(stdout).toMatch(/> one\n[^]*\+ queued by Ada: two[^]*✗ failed[^]*> two\n[^]*✓ completed/);
  });

  it('does not wait for prompts behind a sandbox that could not be started', async () => {
    platform.create();
    platform.startTurn(platform.queue('one'));
    platform.queue('two');
    platform.endTurn('failed', 'sandbox.failed');
    const { code, stderr } = await cli(['attach', ID]);
    expect(code).toBe(1);
    expect(stderr).toContain('Prompts wait');
  });
});

describe('bullpen events', () => {
  it('prints every page as lines and as JSON, and from an event on', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'completed');
    const { code, stdout } = await cli(['events', ID, '--json']);
    expect(code).toBe(0);
    const summary = { type: 'summary', sessionId: ID, head: platform.log.at(-1)?.id, end: 'reached', outcome: null, failureCode: null, next: null, exitCode: 0 };
    expect(linesOf(stdout)).toEqual([...platform.log, summary]);
    const after = platform.log[2]?.id ?? '';
    const lines = (await cli(['events', ID, '--after', after])).stdout.trim().split('\n');
    expect(lines).toHaveLength(platform.log.length - 3);
    expect(lines[0]).toContain(platform.log[3]?.type);
    expect(await cli(['events', ID, '--after', 'x'])).toMatchObject({ code: 2 });
  });

  it('refuses an event that the session does not have, also with --follow', async () => {
    platform.create();
    for (const options of [[], ['--follow']]) {
      const { code, stdout, stderr } = await cli(['events', ID, '--after', '999', ...options]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
      expect(stderr).toContain('event.unknown');
    }
  });

  it('stays with --follow, each event once, until Ctrl-C', async () => {
    platform.create();
    let interrupt = (): void => undefined;
    const following = cli(['events', ID, '--json', '--follow'], { onInterrupt: (callback) => (interrupt = callback) });
    await platform.subscribed();
    platform.playTurn(platform.queue('one'), 'completed', { cutAfter: 'ToolCallStarted' });
    await platform.subscribed(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    interrupt();
    const { code, stdout } = await following;
    expect(code).toBe(130);
    expect(linesOf(stdout).slice(0, -1)).toEqual(platform.log);
    expect(linesOf(stdout).at(-1)).toMatchObject({ type: 'summary', end: 'detached', head: platform.log.at(-1)?.id, exitCode: 130 });
  });
});

describe('bullpen cancel, retry, diff, sessions', () => {
  it('cancels, and says when there is nothing to cancel', async () => {
    platform.create();
    expect(await cli(['cancel', ID])).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to cancel') as unknown });
    platform.startTurn(platform.queue('one'));
    expect(await cli(['cancel', ID])).toMatchObject({ code: 0, stdout: `Cancelling the running turn of ${ID}.\n` });
  });

  it('retries the failed turn and shows that attempt only', async () => {
    platform.create();
    platform.playTurn(platform.queue('flaky'), 'failed');
    const { code, stdout } = await cli(['retry', ID]);
    expect(code).toBe(0);
    expect(stdout).toContain('> flaky\n');
    expect(stdout).toContain('! attempt 2\n');
    expect(stdout).not.toContain('✗ failed');
    expect(await cli(['retry', ID])).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to retry') as unknown });
  });

  it('prints the patch as it is to a pipe, coloured and harmless to a terminal', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'completed');
    platform.patch = 'diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\u001b[2J\n';
    expect((await cli(['diff', ID])).stdout).toBe(platform.patch);
    const screen = (await cli(['diff', ID, '--turn', '1'], { isTTY: true })).stdout;
    expect(screen).toContain('\u001b[31m-a\u001b[39m\n\u001b[32m+b␛[2J\u001b[39m');
    expect(platform.requests.at(-1)?.url).toContain('diff?turn=turn-prompt1');
    expect(await cli(['diff', ID, '--turn', '5'])).toMatchObject({ code: 3 });
    platform.patch = Buffer.from('+caf\u00e9\n', 'latin1');
    expect((await cli(['diff', ID])).stdout).toBe('+caf\u00e9\n');
  });

  it('lists sessions as a table and as JSON', async () => {
    platform.create();
    const { stdout } = await cli(['sessions']);
    expect(stdout).toMatch(/^ID +STATUS +REPOSITORY +TURNS +FILES +UPDATED +TITLE\n/);
    expect(stdout).toContain(ID);
    expect(JSON.parse((await cli(['sessions', '--json', '--status', 'idle'])).stdout)).toMatchObject([{ id: ID }, { id: OTHER_ID }]);
    expect(platform.requests.at(-1)?.url).toContain('status=idle');
  });

  it('finds a session by the unique beginning or end of its id only', async () => {
    platform.create();
    expect(await cli(['cancel', '1x7'])).toMatchObject({ code: 0 });
    const ambiguous = await cli(['cancel', '00aaaa']);
    expect(ambiguous.code).toBe(3);
    expect(ambiguous.stderr).toContain(OTHER_ID);
    expect((await cli(['cancel', 'zzz'])).stderr).toContain('session.not-found');
  });
});

describe('what goes wrong', () => {
  it('says where it looked when nothing listens there', async () => {
    await platform.stop();
    const { code, stderr } = await cli(['sessions']);
    expect(code).toBe(3);
    expect(stderr).toContain(`Cannot reach the platform at ${platform.url}`);
    expect(stderr).toContain('run.json');
    expect(stderr).toContain('make up');
  });

  it('prints the problem of the platform with its code and what to do', async () => {
    platform.problem = { status: 422, code: 'repository.branch-missing', detail: 'There is no branch nope.\u001b[2J' };
    const { code, stderr } = await cli(['run', '--repo', 'sample', '--branch', 'nope', 'x']);
    expect(code).toBe(3);
    expect(stderr).toBe(
      'error: There is no branch nope.␛[2J\n  code: repository.branch-missing\n  next: name a branch that the repository has with --branch\n',
    );
  });

  it('keeps the token of this machine from other ones', async () => {
    const { code, stderr } = await cli(['--url', 'http://example.com', 'sessions']);
    expect(code).toBe(3);
    expect(stderr).toContain('token.missing');
  });

  it('exits 2 on wrong usage and 0 on help', async () => {
    expect(await cli(['run', 'no repo'])).toMatchObject({ code: 2 });
    expect(await cli(['run', '--repo', 'sample', '  '])).toMatchObject({ code: 2 });
    expect(await cli(['sessions', '--status', 'nope'])).toMatchObject({ code: 2 });
    expect(await cli(['frobnicate'])).toMatchObject({ code: 2 });
    expect(await cli(['attach', ''])).toMatchObject({ code: 2, stderr: expect.stringContaining('"" is no session id') as unknown });
    expect(await cli(['rename', ID, ''])).toMatchObject({ code: 2, stderr: expect.stringContaining('<title> is empty') as unknown });
    for (const option of ['--repo', '--branch', '--title']) {
      expect(await cli(['run', '--repo', 'sample', option, '', 'x'])).toMatchObject({ code: 2, stderr: expect.stringContaining(option) as unknown });
    }
    expect(await cli(['events', ID, '--after', 'x'])).toMatchObject({ code: 2 });
    platform.create();
    expect(await cli(['diff', ID, '--turn', 'x'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--turn x') as unknown });
    for (const command of ['run', 'prompt', 'retry', 'cancel', 'attach', 'events', 'diff', 'sessions']) {
      const { code, stdout } = await cli([command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain('Examples:');
    }
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });
});
