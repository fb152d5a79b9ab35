import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { SERVICES } from './faults/victims.js';
import { filesBelow } from './files.harness.js';
import { TestPlatform, eventually } from './platform.harness.js';
import { Watcher } from './watcher.harness.js';

/** Goal: a deleted session leaves nothing behind. Method: a word that is nowhere else, in everything a session is made of, and a search. */
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

const ERASED_MS = 40_000;
const canaryWord = (): string => `canary${randomUUID().replaceAll('-', '')}`;
/** Files of the home that hold the word, as they are on disk. */
function filesWith(word: string): string[] {
  return filesBelow(platform.home).filter((path) => contains(path, word)).map((path) => path.slice(platform.home.length + 1));
}
function contains(path: string, word: string): boolean {
  try {
    return readFileSync(path).includes(word);
  } catch {
    // Gone since it was listed.
    return false;
  }
}
/** Git packs what it keeps: a search of its files would find nothing. */
function repositoriesWith(word: string): string[] {
  const heads = filesBelow(platform.home).filter((path) => /(\.git|mirrors\/[^/]+)\/HEAD$/.test(path));
  return heads.map((path) => path.slice(0, -'/HEAD'.length)).filter((folder) => {
    const args = [`--git-dir=${folder}`, 'cat-file', '--batch-all-objects', '--batch', '--unordered'];
    return execFileSync('git', args, { maxBuffer: 512 * 1024 * 1024 }).includes(word);
  });
}
async function erased(word: string): Promise<void> {
  await eventually(`nothing holds ${word}`, ERASED_MS, () => filesWith(word).length === 0).catch((error: unknown) => {
    throw new Error(`left in ${filesWith(word).join(', ')}`, { cause: error });
  });
  expect(repositoriesWith(word)).toEqual([]);
}
async function notFound(id: string): Promise<void> {
  for (const [method, path] of [
    ['GET', ''], ['GET', '/events'], ['GET', '/files'], ['GET', '/diff'], ['PATCH', ''], ['DELETE', ''],
    ['POST', '/prompts'], ['POST', '/cancel'], ['POST', '/archive'],
  ] as const) {
    const body = method === 'PATCH' ? { title: 'x' } : path === '/prompts' ? { text: 'x' } : undefined;
    const answer = await platform.api<{ code: string }>(method, `/sessions/${id}${path}`, body);
    expect({ method, path, status: answer.status, code: answer.body.code }).toEqual({ method, path, status: 404, code: 'session.not-found' });
  }
}

describe('a deleted session', () => {
  it('leaves no trace of what was written, run or changed, and its neighbour stays as it was', async () => {
    const [word, other] = [canaryWord(), canaryWord()];
    const prompt = (text: string): string => `write ${text}.txt: ${text}\nrun: for i in $(seq 1500); do echo ${text} $i; done`;
    const [id, neighbour] = [await platform.createSession(prompt(word)), await platform.createSession(prompt(other))];
    for (const session of [id, neighbour]) await Watcher.follow(platform, session).sees('BranchPushed');
    await platform.api('PATCH', `/sessions/${id}`, { title: `called ${word}` });
    const found = await platform.api<{ sessions: { id: string }[] }>('GET', `/sessions?q=${word}`);
    expect(found.body.sessions.map((row) => row.id)).toEqual([id]);
    expect(filesWith(word).length).toBeGreaterThan(3);
    expect(repositoriesWith(word).length).toBeGreaterThan(0);
    const before = await platform.session(neighbour);
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('BranchPushed');

    const { status, body } = await platform.api<{ head: string }>('DELETE', `/sessions/${id}`);
    expect(status).toBe(200);
    await watcher.sees('SessionDeleted');
    await notFound(id);
    const listed = await platform.api<{ sessions: { id: string }[]; stale: boolean }>('GET', `/sessions?after=${body.head}`);
    expect(listed.body).toMatchObject({ stale: false });
    expect(listed.body.sessions.map((row) => row.id)).toEqual([neighbour]);
    await erased(word);
    await notFound(id);

    expect(await platform.session(neighbour)).toEqual(before);
    expect((await platform.api<string>('GET', `/sessions/${neighbour}/diff`)).body).toContain(other);
    expect(repositoriesWith(other).length).toBeGreaterThan(0);
    const again = await platform.createSession('write more.txt: more');
    await Watcher.follow(platform, again).sees('BranchPushed');
  }, 120_000);

  it('is cancelled first, and erased to the end although everything is killed meanwhile', async () => {
    const word = canaryWord();
    const id = await platform.createSession(`slow: 400\nwrite ${word}.txt: ${word}`);
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('AssistantTextAppended');
    await platform.api('POST', `/sessions/${id}/prompts`, { text: `and then ${word}` });
    expect((await platform.api('DELETE', `/sessions/${id}`)).status).toBe(200);
    await watcher.sees('SessionDeleted');
    for (const service of SERVICES) platform.kill(service);
    await eventually('the platform is back', 30_000, () => platform.isReady());
    platform.kill('postgres');
    await platform.killSupervisor();
    await platform.up();
    await erased(word);
    await notFound(id);
    expect(readdirSync(join(platform.home, 'sandboxes')).filter((name) => name.startsWith(id))).toEqual([]);
  }, 180_000);
});
