import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { freshSeeds, seededRandom } from './faults/seeds.js';
import { Hostile, residentBytes, shown } from './malformed/hostile.js';
import { MalformedLink } from './malformed/link.js';
import { MalformedBytes, MalformedRest } from './malformed/rest.js';
import { MalformedRpc } from './malformed/rpc.js';
import { MalformedSocket } from './malformed/socket.js';
import { TestPlatform } from './platform.harness.js';
import { Watcher } from './watcher.harness.js';

/**
 * Goal: nothing that comes in from outside breaks the platform, and every refusal says what was wrong. Method: inputs that are nearly right, made from
 * one seed, at every door. `SEED=…` makes the same ones again.
 */
const INPUTS = { rest: 5_300, socket: 2_000, rpc: 2_000, link: 500, bytes: 200 } as const;
const AT_ONCE = 24;
const MAX_FAULTS_SHOWN = 10;
/** Buffers and heaps grow with use; what leaks with every input would be more. */
const MAX_GROWTH_BYTES = 400 * 1024 * 1024;

interface Door {
  make(hostile: Hostile): unknown;
  /** Of what `make` made. */
  fault(input: unknown): Promise<string | null>;
}

let platform: TestPlatform;
let seed: number;
let doors: { readonly [Name in keyof typeof INPUTS]: Door };
let running: { pids: Record<string, number>; memory: number };
let sessionId: string;
const closing: (() => void)[] = [];

beforeAll(async () => {
  [seed = 0] = freshSeeds(1);
  process.stderr.write(`  malformed inputs: SEED=${seed}\n`);
  platform = await TestPlatform.start();
  sessionId = await platform.createSession('', { prompt: undefined });
  const archivedId = await platform.createSession('', { prompt: undefined });
  await platform.api('POST', `/sessions/${archivedId}/archive`);
  const secrets = JSON.parse(readFileSync(join(platform.home, 'secrets.json'), 'utf8')) as { rpc: string; sandbox: string };
  const { ports } = platform.runFile;
  const rest = new MalformedRest(platform, { sessionId, archivedId });
  const rpc = new MalformedRpc(ports, secrets.rpc);
  const socket = new MalformedSocket(platform, sessionId);
  closing.push(() => rest.close(), () => rpc.close(), () => socket.close());
  const link = new MalformedLink(ports['orchestratorLink'] ?? 0, secrets.sandbox, await sandboxToBreak());
  doors = { rest: doorOf(rest), rpc: doorOf(rpc), socket: doorOf(socket), link: doorOf(link), bytes: doorOf(new MalformedBytes([platform.port, ports['orchestratorLink'] ?? 0])) };
  running = { pids: pids(), memory: residentBytes(Object.values(services())) };
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => {
  for (const close of closing) close();
  await platform?.remove();
}, 60_000);

describe('malformed input', () => {
  it.each(Object.keys(INPUTS) as (keyof typeof INPUTS)[])('at the door %s is refused by name, or ignored', async (name) => {
    expect(await faultsAt(name)).toEqual([]);
    expect(pids()).toEqual(running.pids);
  }, 120_000);

  it('leaves no error in the log and no growing memory behind', async () => {
    expect(errorLines()).toEqual([]);
    expect(residentBytes(Object.values(services())) - running.memory).toBeLessThan(MAX_GROWTH_BYTES);
  });

  it('leaves a platform that works', async () => {
    const id = await platform.createSession('write hello.txt: hi');
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('TurnEnded', (event) => event.data['outcome'] === 'completed');
    expect(watcher.faults).toEqual([]);
    const { head } = (await platform.api<{ head: string }>('PATCH', `/sessions/${sessionId}`, { title: 'After all of it' })).body;
    const list = await platform.api<{ stale: boolean; sessions: { title: string }[] }>('GET', `/sessions?after=${head}`);
    expect(list.body.stale).toBe(false);
    expect(list.body.sessions.map(({ title }) => title)).toContain('After all of it');
    expect(pids()).toEqual(running.pids);
  }, 60_000);
});

function doorOf<Input>(door: { make(hostile: Hostile): Input; fault(input: Input): Promise<string | null> }): Door {
  return { make: (hostile) => door.make(hostile), fault: (input) => door.fault(input as Input) };
}

/** Every input of one door, some at a time; what was wrong with the answers, with the input that brought it about. */
async function faultsAt(name: keyof typeof INPUTS): Promise<string[]> {
  const door = doors[name];
  const faults: string[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < INPUTS[name] && faults.length < MAX_FAULTS_SHOWN) {
      const index = next++;
      const input = door.make(new Hostile(seededRandom(seed * 100_003 + index)));
      const fault = await door.fault(input).catch((error: unknown) => String(error));
      if (fault !== null) faults.push(`SEED=${seed} ${name} ${index}: ${fault}\n${shown(input)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return faults;
}

/** A sandbox that runs, of a session that is used for nothing else. */
async function sandboxToBreak(): Promise<{ sessionId: string; sandboxId: string; generation: number }> {
  const id = await platform.createSession('say: here');
  const watcher = Watcher.follow(platform, id);
  const { data } = await watcher.sees('GenerationStarted');
  await watcher.sees('TurnEnded');
  watcher.close();
  return { sessionId: id, sandboxId: String(data['sandboxId']), generation: Number(data['generation']) };
}

function pids(): Record<string, number> {
  return Object.fromEntries(Object.entries(platform.runFile.processes).map(([name, { pid }]) => [name, pid]));
}

function services(): Record<string, number> {
  return Object.fromEntries(Object.entries(pids()).filter(([name]) => ['platform', 'session', 'gateway', 'orchestrator'].includes(name)));
}

function errorLines(): string[] {
  const logs = join(platform.home, 'logs');
  const lines = readdirSync(logs).flatMap((file) => readFileSync(join(logs, file), 'utf8').split('\n'));
  return lines.filter((line) => line.includes('"level":"error"')).slice(0, MAX_FAULTS_SHOWN);
}
