import { mkdirSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { ID, OTHER_ID, Platform } from '../test/platform.harness.js';

/** Goal: `--json` is what `bullpen help json` says, for every command. Method: each in this process, against the small platform. */
let platform: Platform;

beforeEach(async () => {
  platform = await Platform.start();
});
afterEach(() => platform.remove());

const linesOf = (text: string): Record<string, unknown>[] =>
  text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);

async function json(...args: string[]): Promise<{ code: number; out: Record<string, unknown>[]; err: Record<string, unknown>[] }> {
  const { code, stdout, stderr } = await platform.cli([...args, '--json']);
  return { code, out: linesOf(stdout), err: linesOf(stderr) };
}

describe('a stream as JSON', () => {
  it('is the events as the API gives them, then how it ended', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    const { code, out, err } = await json('run', '--repo', 'sample', 'x');
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out.slice(0, -1)).toEqual(platform.log);
    const head = platform.log.at(-1)?.id;
    expect(out.at(-1)).toEqual({ type: 'summary', sessionId: ID, head, end: 'reached', outcome: 'completed', failureCode: null, next: null, exitCode: 0 });
  });

  it('says why a turn failed and what helps', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'failed');
    const { code, out, err } = await json('attach', ID);
    expect({ code, err }).toEqual({ code: 1, err: [] });
    expect(out.at(-1)).toMatchObject({ outcome: 'failed', failureCode: 'agent.crashed', next: `./bullpen retry ${ID}`, exitCode: 1 });
  });

  it('says that the queue stands still, and that somebody detached', async () => {
    platform.create();
    platform.startTurn(platform.queue('first'));
    platform.onPrompt = () => platform.endTurn('failed', 'sandbox.failed');
    const paused = await json('prompt', ID, 'second');
    expect(paused.err).toEqual([{ notice: 'Queued, next in line.' }]);
    expect(paused.out.at(-1)).toMatchObject({ type: 'summary', end: 'paused', exitCode: 1 });
    platform.startTurn(platform.queue('third'));
    let interrupt = (): void => undefined;
    const attached = platform.cli(['attach', ID, '--json'], { onInterrupt: (callback) => (interrupt = callback) });
    await platform.subscribed(2);
    interrupt();
    const { code, stdout, stderr } = await attached;
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
    expect(linesOf(stdout).at(-1)).toMatchObject({ end: 'detached', head: platform.log.at(-1)?.id, next: `./bullpen attach ${ID}`, exitCode: 130 });
  });

  it('tells of the connection in notices, and shows each event once', async () => {
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed', { cutAfter: 'AssistantTextAppended' });
    const { out, err } = await json('run', '--repo', 'sample', 'x');
    expect(err).toEqual([{ notice: 'connection lost, retrying…' }, { notice: 'connected again' }]);
    expect(out.slice(0, -1)).toEqual(platform.log);
  });

  it('is only the summary when there is nothing to retry', async () => {
    platform.create();
    expect((await json('retry', ID)).out).toEqual([expect.objectContaining({ type: 'summary', end: 'nothing', outcome: null, exitCode: 0 })]);
  });
});

describe('an answer as JSON', () => {
  it('is one document', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'failed');
    const expected: readonly [readonly string[], unknown][] = [
      [['cancel', ID], { id: ID, cancelling: false }],
      [['retry', ID, '--no-wait'], { id: ID, retrying: true }],
      [['rename', ID, 'New'], { id: ID, title: 'New' }],
      [['archive', ID], { id: ID, changed: true }],
      [['unarchive', ID], { id: ID, changed: true }],
      [['delete', ID, '--yes'], { id: ID, deleted: true }],
      [['prompt', ID, 'later', '--no-wait'], { id: ID, promptId: 'prompt2', position: 0 }],
      [['sessions'], [expect.objectContaining({ id: ID }), expect.objectContaining({ id: OTHER_ID })]],
      [['repos'], [expect.objectContaining({ name: 'sample' })]],
      [['repos', 'add', 'https://example.org/x'], expect.objectContaining({ id: '00r' })],
      [['repos', 'remove', 'sample'], { id: '00r', removed: true }],
      [['completion', 'bash'], { shell: 'bash', script: expect.stringContaining('_bullpen') as unknown }],
    ];
    for (const [args, document] of expected) {
      const { code, out, err } = await json(...args);
      expect({ args, code, out, err }).toEqual({ args, code: 0, out: [document], err: [] });
    }
  });

  it('carries a patch, also one that is no text', async () => {
    platform.create();
    platform.playTurn(platform.queue('one'), 'completed');
    platform.patch = '+caf\u00e9\n';
    expect((await json('diff', ID)).out).toEqual([{ id: ID, turnId: null, encoding: 'utf8', patch: '+caf\u00e9\n' }]);
    platform.patch = Buffer.from('+caf\u00e9\n', 'latin1');
    const { out } = await json('diff', ID, '--turn', '1');
    expect(out).toEqual([{ id: ID, turnId: 'turn-prompt1', encoding: 'base64', patch: platform.patch.toString('base64') }]);
    platform.patch = '';
    expect(await json('diff', ID)).toMatchObject({ out: [{ patch: '' }], err: [] });
  });

  it('never asks, and tells beside the answer in notices', async () => {
    platform.create();
    const { stdout, stderr, code } = await platform.cli(['delete', ID, '--json'], { ask: () => Promise.resolve('y') });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(linesOf(stderr)).toMatchObject([{ code: 'delete.unconfirmed', next: 'add --yes' }]);
    const copy = join(platform.home, 'copy');
    mkdirSync(copy);
    execFileSync('git', ['init', '-q', copy]);
    writeFileSync(join(copy, 'new.txt'), 'x');
    platform.onPrompt = (promptId) => platform.playTurn(promptId, 'completed');
    expect((await json('run', '--repo', copy, 'x')).err).toEqual([{ notice: expect.stringContaining('1 uncommitted change is not included') as unknown }]);
  });
});

describe('an error as JSON', () => {
  it('is the problem that the platform told, in one line', async () => {
    platform.problem = { status: 422, code: 'repository.branch-missing', detail: 'There is no branch nope.\u001b[2J' };
    const { code, out, err } = await json('run', '--repo', 'sample', '--branch', 'nope', 'x');
    expect({ code, out }).toEqual({ code: 3, out: [] });
    expect(err).toEqual([
      {
        type: 'urn:bullpen:problem:repository.branch-missing', title: 'Unprocessable Entity', status: 422, detail: platform.problem.detail,
        code: 'repository.branch-missing', details: {}, next: 'name a branch that the repository has with --branch', exitCode: 3,
      },
    ]);
  });

  it('has no status when the platform did not answer', async () => {
    await platform.stop();
    const { code, err } = await json('sessions');
    expect(code).toBe(3);
    expect(err).toMatchObject([{ notice: expect.stringContaining('Cannot reach') as unknown }, { code: 'platform.unreachable', next: expect.any(String) as unknown, exitCode: 3 }]);
    expect(err.at(-1)).not.toHaveProperty('status');
  });

  it('also tells of wrong usage', async () => {
    for (const args of [[], ['frobnicate'], ['run', 'x'], ['sessions', '--status', 'nope'], ['events', ID, '--after', 'x'], ['help', 'nope']]) {
      const { code, out, err } = await json(...args);
      expect({ args, code, out }).toEqual({ args, code: 2, out: [] });
      expect(err).toMatchObject([{ code: 'argument.invalid', title: 'Wrong usage', exitCode: 2 }]);
    }
  });
});
