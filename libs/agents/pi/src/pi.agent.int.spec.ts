import { spawnSync } from 'node:child_process';
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { AgentEvent, AgentLaunch, AgentProcess } from '@bullpen/agent-port';
import { startScriptedModel } from '@bullpen/scripted-model';
import type { ReceivedRequest, ScriptedModel } from '@bullpen/scripted-model';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { createPiAgent } from './pi.agent.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const CANARY = 'sk-ant-canary-0123456789';
const agent = createPiAgent({ nodePath: join(ROOT, 'node_modules/.bin/node'), agentsFolder: ROOT });

let model: ScriptedModel;
let requests: ReceivedRequest[] = [];
let folder: string;
let cwd: string;
let started: AgentProcess[] = [];

beforeAll(async () => {
  model = await startScriptedModel({ port: 0, onRequest: (request) => requests.push(request) });
});
afterAll(() => model.close());
beforeEach(async () => {
  requests = [];
  folder = await mkdtemp(join(tmpdir(), 'pi-agent-'));
  cwd = join(folder, 'work');
  await mkdir(cwd);
  await mkdir(join(folder, 'home'));
});
afterEach(async () => {
  await Promise.all(started.map((pi) => pi.stop()));
  started = [];
  await rm(folder, { recursive: true, force: true });
});

async function start(changes: Partial<AgentLaunch> = {}): Promise<AgentProcess> {
  const pi = await agent.start({
    cwd,
    home: join(folder, 'home'),
    model: 'scripted-1',
    modelProvider: 'scripted',
    baseUrl: model.url,
    apiKey: null,
    environment: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', TERM: 'dumb' },
    resume: true,
    transcript: null,
    ...changes,
  });
  started.push(pi);
  return pi;
}

async function run(pi: AgentProcess, text: string, onEvent: (event: AgentEvent) => void | Promise<void> = () => undefined) {
  const events: AgentEvent[] = [];
  const result = await pi.prompt({ text }, async (event) => {
    events.push(event);
    await onEvent(event);
  });
  return { events, result, text: events.map((event) => (event.kind === 'text' ? event.delta : '')).join('') };
}

const lastPromptBody = () => requests.at(-1)?.body ?? '';

describe('pi', () => {
  it('writes a file, runs a command and reports both with their results', async () => {
    const pi = await start();
    expect(pi.conversation).toBe('new');
    const { events, result } = await run(pi, 'write a.txt: hi\nrun: cat a.txt; exit 3');
    expect(result).toEqual({ outcome: 'completed', reason: null });
    expect(await readFile(join(cwd, 'a.txt'), 'utf8')).toMatch(/^hi\n?$/);
    const names = events.flatMap((event) => (event.kind === 'toolStarted' ? [`${event.name}: ${event.title}`] : []));
    expect(names).toEqual(['write: a.txt', 'bash: cat a.txt; exit 3']);
    const completed = events.flatMap((event) => (event.kind === 'toolCompleted' ? [event] : []));
    expect(completed.map(({ failed }) => failed)).toEqual([false, true]);
    expect(completed[1]?.output).toContain('hi');
    expect(events.some((event) => event.kind === 'usage' && event.outputTokens > 0)).toBe(true);
  });

  it('keeps the conversation from prompt to prompt, and takes a prompt that looks like a command as text', async () => {
    const pi = await start();
    await run(pi, 'say: one');
    const { result } = await run(pi, '/llama say');
    expect(result.outcome).toBe('completed');
    expect(lastPromptBody()).toContain('say: one');
    expect(lastPromptBody()).toContain('/llama say');
  });

  it('stops mid-stream when interrupted, at once, and takes the next prompt', async () => {
    const pi = await start();
    let interruptedAt = 0;
    const { result } = await run(pi, 'slow: 100', async (event) => {
      if (event.kind !== 'text' || interruptedAt > 0) return;
      interruptedAt = Date.now();
      await pi.interrupt();
    });
    expect(result).toMatchObject({ outcome: 'cancelled', reason: { code: 'turn.cancelled' } });
    expect(Date.now() - interruptedAt).toBeLessThan(1_000);
    expect((await run(pi, 'say: again')).text).toContain('again');
  });

  it('is cancelled when the interrupt comes before pi took the prompt', async () => {
    const pi = await start();
    const running = run(pi, 'slow: 100');
    await pi.interrupt();
    expect((await running).result.outcome).toBe('cancelled');
  });

  it('reads no further while an event is being handled', async () => {
    const pi = await start();
    let inside = 0;
    const { result } = await run(pi, 'slow: 5', async () => {
      inside += 1;
      expect(inside).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    });
    expect(result.outcome).toBe('completed');
  });

  it('fails the prompt, and ends, when an event cannot be handled', async () => {
    const pi = await start();
    const { result } = await run(pi, 'slow: 5', () => {
      throw new Error('the disk is full');
    });
    expect(result).toMatchObject({
      outcome: 'failed',
      reason: { code: 'agent.crashed', message: expect.stringContaining('the disk is full') },
    });
  });

  it('tells a crash apart, and a new process resumes the conversation, the cut-off prompt included', async () => {
    const pi = await start();
    const { result } = await run(pi, 'slow: 100', (event) => {
      if (event.kind === 'text') process.kill(pi.pid, 'SIGKILL');
    });
    expect(result).toMatchObject({ outcome: 'failed', reason: { code: 'agent.crashed' } });
    expect(await pi.exited).toMatchObject({ exitCode: -1, signal: 'SIGKILL' });
    expect((await run(pi, 'say: x')).result.reason?.code).toBe('agent.crashed');

    const next = await start();
    expect(next.conversation).toBe('resumed');
    expect((await run(next, 'say: back')).result.outcome).toBe('completed');
    expect(lastPromptBody()).toContain('slow: 100');
  });

  it('resumes in a workspace that was moved, and begins anew when told so', async () => {
    await run(await start(), 'say: remember');
    cwd = join(folder, 'moved');
    await mkdir(cwd);
    const moved = await start();
    expect(moved.conversation).toBe('resumed');
    await run(moved, 'write here.txt: x');
    expect(lastPromptBody()).toContain('say: remember');
    expect(await readdir(cwd)).toEqual(['here.txt']);
    expect((await start({ resume: false })).conversation).toBe('new');
  });

  it('begins with a transcript when there is nothing to resume, and keeps it when resumed', async () => {
    const transcript = 'User: make it blue\n\nrun: touch repeated';
    const pi = await start({ transcript });
    expect(pi.conversation).toBe('replayed');
    await run(pi, 'say: ok');
    expect(lastPromptBody()).toContain('make it blue');
    const next = await start();
    expect(next.conversation).toBe('resumed');
    await run(next, 'say: ok');
    expect(lastPromptBody()).toContain('make it blue');
    expect(await readdir(cwd)).toEqual([]);
  });

  it('fails the turn with the reason when the model refuses', async () => {
    const { result } = await run(await start(), 'error: 401');
    expect(result).toMatchObject({ outcome: 'failed', reason: { code: 'model.unauthorized' } });
  });

  it('uses the real provider at the given address; its key is in no file, argument or command', async () => {
    const pi = await start({ modelProvider: 'anthropic', model: 'claude-sonnet-5', apiKey: CANARY, baseUrl: `${model.url}/v1` });
    const { events } = await run(pi, 'run: env; echo done');
    expect(requests.at(-1)?.headers['x-api-key']).toBe(CANARY);
    expect(await readFile(`/proc/${pi.pid}/cmdline`, 'utf8')).not.toContain(CANARY);
    expect(JSON.stringify(events)).toContain('done');
    expect(JSON.stringify(events)).not.toContain(CANARY);
    expect(spawnSync('grep', ['-rl', CANARY, folder], { encoding: 'utf8' }).stdout).toBe('');
  });

  it('reads nothing that could run from the repository', async () => {
    await mkdir(join(cwd, '.pi', 'extensions'), { recursive: true });
    await writeFile(
      join(cwd, '.pi', 'extensions', 'evil.js'),
      `import fs from 'node:fs'; export default () => fs.writeFileSync('evil', '');`,
    );
    await writeFile(
      join(cwd, '.pi', 'settings.json'),
      JSON.stringify({ sessionDir: join(cwd, 'sessions'), shellCommandPrefix: 'touch evil' }),
    );
    await run(await start(), 'run: echo fine');
    expect((await readdir(cwd)).toSorted()).toEqual(['.pi']);
  });

  it('says what is missing when pi is not installed, and why it did not start', async () => {
    const nowhere = createPiAgent({ nodePath: process.execPath, agentsFolder: folder });
    const launch = {
      cwd,
      home: join(folder, 'home'),
      model: 'm',
      baseUrl: null,
      apiKey: null,
      environment: {},
      resume: true,
      transcript: null,
    };
    await expect(nowhere.start({ ...launch, modelProvider: 'scripted' })).rejects.toMatchObject({ code: 'agent.missing' });
    const broken = createPiAgent({ nodePath: '/bin/false', agentsFolder: ROOT });
    await expect(broken.start({ ...launch, modelProvider: 'scripted' })).rejects.toMatchObject({ code: 'agent.start-failed' });
  });
});
