import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';

import { freshSeeds } from './faults/seeds.js';
import { VICTIMS, killAndCheck } from './faults/victims.js';
import { TestPlatform } from './platform.harness.js';
import { Watcher } from './watcher.harness.js';

/** Goal: "What survives what", at any moment of a turn. Method: kill -9 at moments that seeds pick; one platform lives through all of them. */
const SEEDS = 20;
const SEEDS_OF_A_PAIR = 2;
const SEED_MS = 180_000;
const PAIRS = VICTIMS.flatMap((one, index) => VICTIMS.slice(index + 1).map((other) => [one, other]));
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

// Seeds take turns in random order: a program that dies every few seconds is given longer and longer pauses, by design.
describe('kill -9 in the middle of a turn', () => {
  const cases = VICTIMS.flatMap((victim) => freshSeeds(SEEDS).map((seed) => ({ victim, seed })));
  it.each(cases)('of $victim, seed $seed', ({ victim, seed }) => killAndCheck(platform, [victim], seed), SEED_MS);
});

describe('kill -9 of two at once', () => {
  const cases = PAIRS.flatMap((pair) => freshSeeds(SEEDS_OF_A_PAIR).map((seed) => ({ pair, names: pair.join(' and '), seed })));
  it.each(cases)('of $names, seed $seed', ({ pair, seed }) => killAndCheck(platform, pair, seed), SEED_MS);
});
