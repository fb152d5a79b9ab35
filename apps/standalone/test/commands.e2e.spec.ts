import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { CHECKOUT, TestPlatform, eventually } from './platform.harness.js';

/** Goal: what a person keeps sessions and repositories with, as they type it. Method: the real product and the real CLI. */
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
afterAll(async () => platform?.remove(), 60_000);

const listed = async (...args: string[]): Promise<string[]> =>
  (JSON.parse((await platform.cli(['sessions', '--json', ...args])).output) as { id: string }[]).map(({ id }) => id);

/** Lists follow the log by a moment; sessions of other tests do not count. */
const listOf =
  (known: readonly string[]) =>
  (ids: readonly string[], ...args: string[]): Promise<void> =>
    eventually(`sessions ${args.join(' ')} are ${ids.join(', ')}`, 20_000, async () => {
      const found = (await listed(...args)).filter((id) => known.includes(id));
      return found.join() === ids.join();
    });

describe('sessions, from a terminal', () => {
  it('are found, renamed, archived, brought back and deleted', async () => {
    const id = await platform.createSession('run: echo heliotrope');
    const other = await platform.createSession('run: echo nothing');
    const listsBecome = listOf([id, other]);
    await platform.cli(['attach', id]);
    await listsBecome([id], 'helio');
    expect(await platform.cli(['rename', id, 'A better name', '--json'])).toEqual({ exitCode: 0, output: `{"id":"${id}","title":"A better name"}\n` });
    await listsBecome([id], 'bett', 'nam', '--repo', 'sample');
    expect(await platform.cli(['archive', id])).toMatchObject({ exitCode: 0, output: expect.stringContaining('unarchive') });
    await listsBecome([other]);
    await listsBecome([id], '--status', 'archived');
    expect(await platform.cli(['prompt', id, 'x'])).toMatchObject({ exitCode: 3, output: expect.stringContaining('session.archived') });
    expect(await platform.cli(['unarchive', id.slice(-8)])).toMatchObject({ exitCode: 0 });
    await listsBecome([other, id]);
    expect(await platform.cli(['delete', id])).toMatchObject({ exitCode: 2, output: expect.stringContaining('--yes') });
    expect(await platform.cli(['delete', id, '--yes', '--json'])).toEqual({ exitCode: 0, output: `{"id":"${id}","deleted":true}\n` });
    expect(await platform.cli(['attach', id])).toMatchObject({ exitCode: 3, output: expect.stringContaining('session.not-found') });
  }, 90_000);
});

describe('repositories, from a terminal', () => {
  it('are added by path and name, listed and removed; the sample stays', async () => {
    const folder = join(platform.home, 'outside');
    execFileSync('git', ['init', '--quiet', '-b', 'trunk', folder]);
    const as = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
    execFileSync('git', ['-C', folder, ...as, 'commit', '--quiet', '--allow-empty', '-m', 'first']);
    const added = await platform.cli(['repos', 'add', folder, '--name', 'shop', '--json']);
    expect(JSON.parse(added.output)).toMatchObject({ name: 'shop', source: folder, defaultBranch: 'trunk' });
    const list = await platform.cli(['repos']);
    expect(list.output).toMatch(/NAME/);
    expect(list.output).toMatch(/shop +trunk/);
    expect(list.output).toMatch(/sample +main/);
    expect(await platform.cli(['repos', 'remove', 'shop'])).toMatchObject({ exitCode: 0 });
    expect((await platform.cli(['repos', '--json'])).output).not.toContain('shop');
    expect(await platform.cli(['repos', 'remove', 'sample'])).toMatchObject({ exitCode: 3, output: expect.stringContaining('repository.is-sample') });
    expect(await platform.cli(['repos', 'add', join(platform.home, 'nothing')])).toMatchObject({ exitCode: 3, output: expect.stringContaining('repository.not-found') });
  }, 60_000);
});

describe('a request\u2019s trace', () => {
  it('goes from REST through the log to the agent\u2019s events', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { traceparent, 'x-request-id': 'mine-1' };
    const created = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample', prompt: 'run: true' }, headers);
    expect(created.headers.get('x-request-id')).toBe('mine-1');
    await platform.cli(['attach', created.body.id]);
    const { body } = await platform.api<{ events: { type: string; traceparent?: string }[] }>('GET', `/sessions/${created.body.id}/events`);
    for (const type of ['SessionCreated', 'TurnStarted', 'AgentStarted', 'ToolCallStarted']) {
      expect(body.events.find((event) => event.type === type)).toMatchObject({ type, traceparent });
    }
  }, 60_000);
});

describe('--json', () => {
  const linesOf = (output: string) => output.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);

  it('is the log and its outcome, of a turn that completed and of one that failed', async () => {
    const { exitCode, output } = await platform.cli(['run', '--repo', 'sample', '--json', 'run: echo heliotrope']);
    expect(exitCode).toBe(0);
    const lines = linesOf(output);
    const { sessionId, ...summary } = lines.at(-1) ?? {};
    expect(summary).toMatchObject({ type: 'summary', end: 'reached', outcome: 'completed', exitCode: 0 });
    const { body } = await platform.api<{ events: Record<string, unknown>[] }>('GET', `/sessions/${String(sessionId)}/events`);
    expect(body.events).toEqual(expect.arrayContaining(lines.slice(0, -1)));
    const all = linesOf((await platform.cli(['events', String(sessionId), '--json'])).output);
    expect(all.slice(0, -1)).toEqual(body.events);
    const attached = linesOf((await platform.cli(['attach', String(sessionId), '--json'])).output);
    expect(attached.at(-1)).toMatchObject({ type: 'summary', outcome: 'completed' });
    expect(linesOf((await platform.cli(['cancel', String(sessionId), '--json'])).output)).toEqual([{ id: sessionId, cancelling: false }]);
    expect(linesOf((await platform.cli(['retry', String(sessionId), '--json'])).output)).toMatchObject([{ type: 'summary', end: 'nothing' }]);
    expect(linesOf((await platform.cli(['diff', String(sessionId), '--json'])).output)).toMatchObject([{ id: sessionId, encoding: 'utf8' }]);
  }, 60_000);

  it('is one problem for an error, with the exit code it has without', async () => {
    for (const args of [['attach', 'zzzzzz'], ['run', '--repo', 'sample', '--branch', 'nope', 'x'], ['sessions', '--status', 'nope']]) {
      const told = await platform.cli(args);
      const { exitCode, output } = await platform.cli([...args, '--json']);
      expect({ args, exitCode }).toEqual({ args, exitCode: told.exitCode });
      expect(linesOf(output)).toMatchObject([{ type: expect.stringMatching(/^urn:bullpen:problem:/), exitCode, next: expect.any(String) }]);
    }
  }, 60_000);
});

describe('bullpen doctor', () => {
  it('finds the running platform well', async () => {
    const { exitCode, output } = await platform.cli(['doctor', '--json']);
    const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: { code: string; state: string; what: string }[] };
    expect({ exitCode, ok, failed: findings.filter(({ state }) => state === 'fail') }).toEqual({ exitCode: 0, ok: true, failed: [] });
    expect(findings).toContainEqual({ code: 'platform', state: 'ok', what: expect.stringContaining(platform.url), cure: null });
  }, 60_000);
});

describe('completion', () => {
  it('is asked of the running platform by bash', async () => {
    const id = await platform.createSession('run: true');
    const { output } = await platform.cli(['completion', 'bash']);
    const typed = (words: string): string => {
      const script = `${output}\nCOMP_WORDS=("$BULLPEN" ${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _bullpen; echo "\${COMPREPLY[*]}"`;
      return execFileSync('bash', ['-c', script], { encoding: 'utf8', env: { ...platform.variables, BULLPEN: join(CHECKOUT, 'bullpen') } }).trim();
    };
    await eventually('the session is offered', 20_000, () => Promise.resolve(typed(`attach ${id.slice(0, 20)}`).split(' ').includes(id)));
    expect(typed('run --repo sam')).toBe('sample');
  }, 60_000);
});
