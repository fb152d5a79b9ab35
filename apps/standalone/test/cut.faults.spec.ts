import { afterAll, afterEach, beforeAll, describe, it } from '@jest/globals';

import { CutPlatform, LINKS } from './faults/cuts.js';
import { freshSeeds } from './faults/seeds.js';
import { Watcher } from './watcher.harness.js';

/** Goal: a network that fails for a while costs nothing but that while. Method: a TCP proxy between any two parts, cut or stalled for 0.1–20 s. */
const SEEDS = 6;
const SEED_MS = 240_000;
let platform: CutPlatform;

beforeAll(async () => {
  platform = await CutPlatform.start();
}, 120_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

describe('a cut in the middle of a turn', () => {
  const cases = LINKS.flatMap((link) => freshSeeds(SEEDS).map((seed) => ({ link, seed })));
  it.each(cases)('between $link, seed $seed', ({ link, seed }) => platform.cutAndCheck(link, seed), SEED_MS);
});
