import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import type { SessionEvent } from '@bullpen/contracts';

import { TestPlatform, eventually } from './platform.harness.js';
import { Watcher } from './watcher.harness.js';

/** Goal: one prompt, end to end, as the CLI and as a plain API client see it. Method: the real product, nothing replaced. */
let platform: TestPlatform;
const PROMPT = 'write hello.txt: hi\nrun: git status --short';

beforeAll(async () => {
  platform = await TestPlatform.start({ BULLPEN_USER_NAME: 'Ada Lovelace', BULLPEN_USER_EMAIL: 'ada@example.com' });
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

describe('a prompt on the sample repository', () => {
  it('streams stages, text and tool calls to the terminal and exits 0', async () => {
    const { exitCode, output } = await platform.cli(['run', '--repo', 'sample', PROMPT]);
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(output).toContain('Scripted model: no API key set');
    expect(output).toMatch(/hello\.txt/);
    expect(output).toContain('?? hello.txt');
    expect(output).toMatch(/ready/i);
    expect(output).toMatch(/completed/i);
    expect(output).not.toContain(String.fromCharCode(27));
    const diff = await platform.cli(['diff', 'last']);
    expect(diff.output).toContain('+hi');
  }, 60_000);

  it('streams to a plain client that subscribed before, after and in the middle, once and in order', async () => {
    const id = await platform.createSession(`${PROMPT}\nslow: 10`);
    const early = Watcher.follow(platform, id);
    const middle = await early.sees('ToolCallCompleted');
    const resumed = Watcher.follow(platform, id, middle.id);
    await early.sees('TurnEnded');
    await early.sees('BranchPushed');
    const late = Watcher.follow(platform, id);
    await late.sees('BranchPushed');
    await resumed.sees('BranchPushed');

    for (const watcher of [early, resumed, late]) expect(watcher.faults).toEqual([]);
    expect(late.events).toEqual(early.events);
    const from = early.events.findIndex((event) => event.id === middle.id);
    expect(resumed.events).toEqual(early.events.slice(from + 1));
    expect(early.events[0]).toMatchObject({ type: 'SessionCreated', prev: null });

    const page = await platform.api<{ events: SessionEvent[]; head: string; more: boolean }>('GET', `/sessions/${id}/events?after=0`);
    expect(page.body.events).toEqual(early.events);
    expect(page.body).toMatchObject({ more: false, head: early.events.at(-1)?.id });

    const tools = early.events.filter((event) => event.type === 'ToolCallCompleted');
    expect(tools.map((event) => event.data['outcome'])).toEqual(['succeeded', 'succeeded']);
    expect(JSON.stringify(tools[1]?.data)).toContain('?? hello.txt');
    expect(early.events.find((event) => event.type === 'TurnEnded')?.data['outcome']).toBe('completed');
    const state = await platform.session(id);
    expect(state).toMatchObject({ status: 'idle', files: [{ path: 'hello.txt', change: 'added' }] });
    for (const watcher of [early, resumed, late]) watcher.close();
  }, 60_000);

  it('leaves a commit by the prompting person on the branch of the sample', async () => {
    const id = await platform.createSession(PROMPT);
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('BranchPushed');
    watcher.close();
    const sample = join(platform.home, 'repositories/sample');
    const show = execFileSync('git', ['-C', sample, 'show', '--stat', '--format=%an <%ae>', `bullpen/${id}`], { encoding: 'utf8' });
    expect(show).toContain('Ada Lovelace <ada@example.com>');
    expect(show).toContain('hello.txt');
  }, 60_000);

  it('sends a snapshot to a client that can take one, and the tail after it', async () => {
    const id = await platform.createSession('slow: 20');
    const first = Watcher.follow(platform, id);
    await first.sees('AssistantTextAppended');
    const late = Watcher.follow(platform, id, null, ['session.v1']);
    await late.sees('TurnEnded');
    expect(late.snapshots).toHaveLength(1);
    expect(late.faults).toEqual([]);
    const upTo = late.snapshots[0]?.upTo;
    const from = first.events.findIndex((event) => event.id === upTo);
    expect(late.events).toEqual(first.events.slice(from + 1, from + 1 + late.events.length));
    first.close();
    late.close();
  }, 60_000);
});

describe('the queue', () => {
  it('runs a second prompt after the first one ended, in the same conversation', async () => {
    const id = await platform.createSession('slow: 15');
    const second = await platform.api<{ position: number }>('POST', `/sessions/${id}/prompts`, { text: 'and you are?' });
    expect(second).toMatchObject({ status: 202, body: { position: 1 } });
    const watcher = Watcher.follow(platform, id);
    await eventually('two turns end', 30_000, () => watcher.events.filter((event) => event.type === 'TurnEnded').length === 2);
    const order = watcher.events.filter((event) => ['TurnStarted', 'TurnEnded'].includes(event.type)).map((event) => event.type);
    expect(order).toEqual(['TurnStarted', 'TurnEnded', 'TurnStarted', 'TurnEnded']);
    expect(watcher.text()).toContain('Echo(turn 2)');
    watcher.close();
  }, 60_000);

  it('stops a turn within a second, with what its tools left running', async () => {
    const id = await platform.createSession('run: (setsid sleep 4242 &) ; sleep 300');
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('ToolCallStarted');
    await eventually('the background child runs', 5_000, () => processesWith('sleep 4242') > 0);
    const asked = Date.now();
    await platform.api('POST', `/sessions/${id}/cancel`);
    const finished = await watcher.sees('AgentTurnFinished', (event) => event.data['outcome'] === 'cancelled');
    expect(Date.parse(finished.at) - asked).toBeLessThan(2_000);
    await watcher.sees('TurnEnded', (event) => event.data['outcome'] === 'cancelled');
    await eventually('no background child is left', 2_000, () => processesWith('sleep 4242') === 0);
    watcher.close();
  }, 60_000);
});

describe('repositories', () => {
  it('takes a local path and a branch, and names what is wrong with others', async () => {
    const folder = join(platform.home, '..', `bullpen-e2e-repo-${process.pid}`);
    mkdirSync(folder);
    const run = (...args: string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
    run('init', '-q', '-b', 'trunk');
    run('commit', '-q', '--allow-empty', '-m', 'first');
    run('branch', 'topic');
    try {
      const id = await platform.createSession('run: git log --oneline', { repository: folder, branch: 'topic' });
      const watcher = Watcher.follow(platform, id);
      await watcher.sees('TurnEnded', (event) => event.data['outcome'] === 'completed');
      watcher.close();
      const post = async (body: object) => (await platform.api<{ code: string }>('POST', '/sessions', { prompt: 'x', ...body })).body.code;
      expect(await post({ repository: folder, branch: 'nope' })).toBe('repository.branch-missing');
      expect(await post({ repository: join(folder, 'missing') })).toBe('repository.not-found');
      expect(await post({ repository: platform.home })).toBe('repository.not-git');
    } finally {
      execFileSync('rm', ['-rf', folder]);
    }
  }, 60_000);
});

describe('Idempotency-Key', () => {
  it('gives the same answer to the same request, and refuses another body', async () => {
    const headers = { 'idempotency-key': 'create-once' };
    const body = { repository: 'sample', title: 'Once' };
    const first = await platform.api<{ id: string }>('POST', '/sessions', body, headers);
    const again = await platform.api<{ id: string }>('POST', '/sessions', body, headers);
    expect(again).toMatchObject({ status: 201, body: { id: first.body.id } });
    const other = await platform.api<{ code: string }>('POST', '/sessions', { ...body, title: 'Other' }, headers);
    expect(other).toMatchObject({ status: 422, body: { code: 'idempotency.mismatch' } });
  });
});

function processesWith(text: string): number {
  const wanted = text.replaceAll(' ', '\0');
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => `/proc/${name}`)
    .filter((folder) => {
      try {
        return readFileSync(`${folder}/cmdline`, 'utf8').startsWith(wanted);
      } catch {
        return false;
      }
    }).length;
}
