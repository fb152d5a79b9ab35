import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';

import { TestPlatform, eventually } from './platform.harness.js';
import { isLiving, processesWithEnvironment, runnerOf } from './processes.harness.js';
import { Watcher } from './watcher.harness.js';

/**
 * Goal: "What survives what". Method: a slow turn with a queued second prompt and a connected client; kill -9 of one part when the
 * client has seen a seed's event number plus 0–50 ms; the kill must fall inside the turn.
 */
const SEEDS = seedsOf(process.env['BULLPEN_SEEDS']);
const WORDS = 40;
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

describe('kill -9 of the platform in the middle of a turn', () => {
  it.each(SEEDS)('seed %i: the turn completes, byte for byte, and the queued prompt runs once', async (seed) => {
    const { watcher, id } = await slowTurnWithQueue(seed);
    platform.kill('platform');
    expect(watcher.has('TurnEnded')).toBe(false);
    await eventually('both turns end', 60_000, () => watcher.events.filter((event) => event.type === 'TurnEnded').length === 2);

    const ends = watcher.events.filter((event) => event.type === 'TurnEnded').map((event) => event.data['outcome']);
    expect(ends).toEqual(['completed', 'completed']);
    expect(slowTextOf(watcher)).toBe(expectedText());
    expect(watcher.events.filter((event) => event.type === 'TurnStarted')).toHaveLength(2);
    expect(watcher.events.filter((event) => event.type === 'AgentStarted')).toHaveLength(2);
    expect(watcher.connections).toBeGreaterThan(1);
    await sameAsFreshClient(watcher, id);
  }, 120_000);
});

describe('kill -9 of the runner in the middle of a turn', () => {
  it.each(SEEDS)('seed %i: the turn fails within 10 s and says why; the queued prompt runs in the next generation', async (seed) => {
    const { watcher, id } = await slowTurnWithQueue(seed);
    process.kill(runnerOf(sandboxIdOf(id, 1)).pid, 'SIGKILL');
    const killedAt = Date.now();
    expect(watcher.has('TurnEnded')).toBe(false);
    const ended = await watcher.sees('TurnEnded', () => true, 10_000);
    expect(ended.data).toMatchObject({ outcome: 'failed', attempt: 1, reason: { code: 'sandbox.lost' } });
    expect(Date.parse(ended.at) - killedAt).toBeLessThan(10_000);
    const lost = await watcher.sees('SandboxLost');
    expect(lost.data).toMatchObject({ generation: 1, turnId: ended.data['turnId'], turnAttempt: 1 });
    expect(Number(lost.data['appendedThrough'])).toBeGreaterThan(0);

    await eventually('the queued turn ends', 60_000, () => watcher.events.filter((event) => event.type === 'TurnEnded').length === 2);
    expect(watcher.events.filter((event) => event.type === 'TurnEnded').at(-1)?.data['outcome']).toBe('completed');
    expect(watcher.events.filter((event) => event.type === 'GenerationStarted').map((event) => event.data['generation'])).toEqual([1, 2]);
    await sameAsFreshClient(watcher, id);
    await eventually('nothing of generation 1 runs', 5_000, () => processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxIdOf(id, 1)}`).length === 0);
  }, 120_000);
});

describe('kill -9 of the servers in the middle of a turn', () => {
  it.each(['nats', 'postgres'])('%s: the turn completes, byte for byte', async (victim) => {
    const { watcher, id } = await slowTurnWithQueue(7);
    platform.kill(victim);
    await eventually('both turns end', 90_000, () => watcher.events.filter((event) => event.type === 'TurnEnded').length === 2);
    expect(watcher.events.filter((event) => event.type === 'TurnEnded').map((event) => event.data['outcome'])).toEqual(['completed', 'completed']);
    expect(slowTextOf(watcher)).toBe(expectedText());
    await sameAsFreshClient(watcher, id);
    await eventually('the platform is ready again', 30_000, () => platform.isReady());
  }, 150_000);
});

describe('kill -9 of make up itself', () => {
  it('lets the next make up adopt the running turn', async () => {
    const { watcher, id } = await slowTurnWithQueue(3);
    await platform.killSupervisor();
    await platform.up();
    await eventually('both turns end', 60_000, () => watcher.events.filter((event) => event.type === 'TurnEnded').length === 2);
    expect(watcher.events.filter((event) => event.type === 'TurnEnded').map((event) => event.data['outcome'])).toEqual(['completed', 'completed']);
    expect(slowTextOf(watcher)).toBe(expectedText());
    await sameAsFreshClient(watcher, id);
  }, 150_000);
});

describe('Ctrl-C', () => {
  it('ends the running turn as failed, leaves nothing running, and the next make up carries on', async () => {
    const { watcher, id } = await slowTurnWithQueue(5);
    watcher.close();
    const before = platform.runFile;
    expect(await platform.stop()).toBe(0);
    expect(processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxIdOf(id, 1)}`)).toEqual([]);
    expect(Object.entries(before.processes).filter(([, { pid }]) => isLiving(pid))).toEqual([]);

    await platform.up();
    const fresh = Watcher.follow(platform, id);
    const ended = await fresh.sees('TurnEnded');
    expect(ended.data).toMatchObject({ outcome: 'failed', reason: { code: 'platform.stopped' } });
    fresh.close();
  }, 150_000);
});

async function slowTurnWithQueue(seed: number): Promise<{ watcher: Watcher; id: string }> {
  const random = mulberry(seed);
  const eventNumber = 12 + Math.floor(random() * 25);
  const delayMs = Math.floor(random() * 50);
  console.info(`seed ${seed}: kill ${delayMs} ms after event ${eventNumber}`);
  const id = await platform.createSession(`slow: ${WORDS}`);
  await platform.api('POST', `/sessions/${id}/prompts`, { text: 'say: second' });
  const watcher = Watcher.follow(platform, id);
  await watcher.sees('AssistantTextAppended');
  await eventually(`event ${eventNumber}`, 20_000, () => watcher.events.length >= eventNumber);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  return { watcher, id };
}

/** The old client, which was resumed, holds what a client that comes now is given. */
async function sameAsFreshClient(watcher: Watcher, id: string): Promise<void> {
  const last = (await platform.session(id)).head;
  await eventually('the old client is at the head', 10_000, () => watcher.events.at(-1)?.id !== undefined && BigInt(watcher.events.at(-1)?.id ?? 0) >= BigInt(last));
  const fresh = Watcher.follow(platform, id);
  await eventually('the fresh client is at the head', 10_000, () => fresh.events.length >= watcher.events.length);
  expect(watcher.faults).toEqual([]);
  expect(watcher.snapshots).toEqual([]);
  expect(fresh.events.slice(0, watcher.events.length)).toEqual(watcher.events);
  fresh.close();
  watcher.close();
}

function slowTextOf(watcher: Watcher): string {
  const first = watcher.events.find((event) => event.type === 'AssistantTextAppended');
  const part = first?.data['partId'];
  return watcher.events
    .filter((event) => event.type === 'AssistantTextAppended' && event.data['partId'] === part)
    .map((event) => String(event.data['text']))
    .join('');
}

/** What the scripted model says to `slow: N`. */
function expectedText(): string {
  return Array.from({ length: WORDS }, (_, index) => `word${index + 1} `).join('').trimEnd();
}

function seedsOf(variable: string | undefined): number[] {
  return variable ? variable.split(',').map(Number) : [11, 22, 33];
}

/** Small seeded generator: the same seed, the same kill. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
