import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';

import { checkEverything } from './faults/oracle.js';
import { seedsOfCommit } from './faults/seeds.js';
import { SlowTurn } from './faults/slow-turn.js';
import { VICTIMS, killAndCheck } from './faults/victims.js';
import { TestPlatform, eventually } from './platform.harness.js';
import { isLiving, processesWithEnvironment } from './processes.harness.js';
import { Watcher } from './watcher.harness.js';

/**
 * Goal: "What survives what". Method: a slow turn with a queued second prompt and two connected clients; kill -9 of one part after so many
 * events and 0–50 ms, as seeds pick. The seeds come from the commit's hash; `make test-faults` takes others and more.
 */
const SEEDS = 3;
const SEED_MS = 180_000;
const FIRST_EVENT = 15;
const TURNS_END_MS = 90_000;
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

describe('kill -9 in the middle of a turn', () => {
  const cases = VICTIMS.flatMap((victim) => seedsOfCommit(victim, SEEDS).map((seed) => ({ victim, seed })));
  it.each(cases)('of $victim, seed $seed', ({ victim, seed }) => killAndCheck(platform, [victim], seed), SEED_MS);
});

describe('kill -9 of make up itself', () => {
  it.each(seedsOfCommit('supervisor', 1))('seed %i: lets the next make up adopt the running turn', async (seed) => {
    const turn = await SlowTurn.upTo(platform, seed, { firstEvent: FIRST_EVENT });
    await platform.killSupervisor();
    await turn.strike(() => undefined);
    await platform.up();
    await turn.ended(TURNS_END_MS);
    expect(await checkEverything(turn, { outcomes: ['completed'], failsWithinMs: 0 })).toBe('completed');
  }, SEED_MS);
});

describe('Ctrl-C', () => {
  it.each(seedsOfCommit('stop', 1))('seed %i: ends the turn as failed, leaves nothing running and no lock, and the next make up carries on', async (seed) => {
    const { id } = await SlowTurn.upTo(platform, seed, { firstEvent: FIRST_EVENT });
    Watcher.closeAll();
    const before = platform.runFile;
    expect(await platform.stop()).toBe(0);
    expect(processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxIdOf(id, 1)}`)).toEqual([]);
    expect(Object.entries(before.processes).filter(([, { pid }]) => isLiving(pid))).toEqual([]);
    expect(platform.hasLock()).toBe(false);

    await platform.up();
    const fresh = Watcher.follow(platform, id);
    const ended = await fresh.sees('TurnEnded');
    expect(ended.data).toMatchObject({ outcome: 'failed', reason: { code: 'platform.stopped' } });
    await eventually('the queued prompt runs', TURNS_END_MS, () => fresh.events.filter(({ type }) => type === 'TurnEnded').length === 2);
    expect(fresh.events.findLast(({ type }) => type === 'TurnEnded')?.data).toMatchObject({ outcome: 'completed' });
    fresh.close();
  }, SEED_MS);
});
