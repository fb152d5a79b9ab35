import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { SHARD_COUNT, planShards, shardOf } from './shards.js';
import type { ShardLease } from './shards.js';

const SEED = Number(process.env['BULLPEN_SEED'] ?? Date.now() % 2 ** 31);
const NAMES = ['ws://a', 'ws://b', 'ws://c', 'ws://d'];

describe('shardOf', () => {
  it('never changes', () => {
    expect(['00aaaaaaaaaaaaaaaaaaaaaaaaaa', '00zzzzzzzzzzzzzzzzzzzzzzzzzz', ''].map(shardOf)).toEqual([7, 13, 5]);
  });

  it('spreads ids over every shard', () => {
    const counts = Array.from({ length: SHARD_COUNT }, () => 0);
    for (let n = 0; n < 1_600; n += 1) counts[shardOf(`00${n.toString(36).padStart(26, '0')}`)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(50);
  });
});

/** Leases as the bucket keeps them: a change names the revision it was decided on, and loses against any other since. */
class Bucket {
  #revision = 0;
  leases: ShardLease[] = Array.from({ length: SHARD_COUNT }, (_, shard) => ({ shard, holder: '', revision: 0 }));

  put(shard: number, holder: string, revision: number): boolean {
    if (this.leases[shard]?.revision !== revision) return false;
    this.#revision += 1;
    this.leases[shard] = { shard, holder, revision: this.#revision };
    return true;
  }

  expire(holder: string): void {
    this.leases = this.leases.map((lease) => (lease.holder === holder ? { ...lease, holder: '', revision: 0 } : lease));
  }

  heldBy(holder: string): number {
    return this.leases.filter((lease) => lease.holder === holder).length;
  }
}

type Happening = { readonly kind: 'look' | 'act' | 'die'; readonly who: number };

const happening: fc.Arbitrary<Happening> = fc.record({
  kind: fc.constantFrom('look' as const, 'look' as const, 'act' as const, 'act' as const, 'die' as const),
  who: fc.nat(NAMES.length - 1),
});

describe('planShards', () => {
  it('gives one alone everything, and takes nothing that another holds', () => {
    const leases = new Bucket().leases.map((lease) => (lease.shard < 4 ? { ...lease, holder: 'ws://b', revision: 7 } : lease));
    expect(planShards('ws://a', [], leases).take.map(({ shard }) => shard)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(planShards('ws://b', ['ws://b'], leases).renew).toHaveLength(4);
  });

  it('settles on equal parts of everything, whoever looked, acted on old news or died before', () => {
    process.stderr.write(`shards.spec.ts seed ${SEED}\n`);
    const property = fc.property(fc.array(happening, { maxLength: 40 }), fc.subarray(NAMES, { minLength: 1 }), (happenings, survivors) => {
      const bucket = new Bucket();
      const seen = new Map<string, ShardLease[]>();
      for (const { kind, who } of happenings) {
        const me = NAMES[who] ?? '';
        if (kind === 'look') seen.set(me, bucket.leases);
        if (kind === 'act') act(bucket, me, NAMES, seen.get(me) ?? []);
        if (kind === 'die') bucket.expire(me);
      }
      for (const name of NAMES) if (!survivors.includes(name)) bucket.expire(name);
      for (let round = 0; round < 2; round += 1) for (const me of survivors) act(bucket, me, survivors, bucket.leases);
      const parts = survivors.map((me) => bucket.heldBy(me));
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(SHARD_COUNT);
      expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1);
      // And there it rests.
      const rested = bucket.leases;
      for (const me of survivors) {
        const { take, release } = planShards(me, survivors, rested);
        expect([take, release]).toEqual([[], []]);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
  });
});

function act(bucket: Bucket, me: string, replicas: readonly string[], leases: readonly ShardLease[]): void {
  const { renew, take, release } = planShards(me, replicas, leases);
  for (const { shard, revision } of [...renew, ...take]) bucket.put(shard, me, revision);
  for (const { shard, revision } of release) bucket.put(shard, '', revision);
}
