import { execFileSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';

import { CHECKOUT } from '../platform.harness.js';

const MAX_SEED = 1_000_000;

/** The same commit, the same seeds: a failure can be had again, and every commit tries others. */
export function seedsOfCommit(victim: string, count: number): number[] {
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  return Array.from({ length: count }, (_, index) => seedOf(`${commit}/${victim}/${index}`));
}

/** Others with every run; `SEED=… make test-faults` takes that one alone. `FAULT_SEEDS` changes how many. */
export function freshSeeds(count: number): number[] {
  const { SEED, FAULT_SEEDS } = process.env;
  if (SEED !== undefined && SEED !== '') return SEED.split(',').map(Number);
  return Array.from({ length: FAULT_SEEDS ? Math.min(Number(FAULT_SEEDS), count) : count }, () => randomInt(MAX_SEED));
}

/** Small seeded generator: the same seed, the same numbers. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function seedOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) % MAX_SEED;
}
