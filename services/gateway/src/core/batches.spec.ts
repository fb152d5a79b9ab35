import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { BATCH_BYTES, EVENTS_PER_BATCH } from '@bullpen/sync-protocol';

import { batchesOf } from './batches.js';

const event = (n: number, length: number) => ({
  id: String(n),
  prev: null,
  sessionId: 's',
  lane: 'agent' as const,
  type: 'T',
  v: 1,
  at: '',
  actor: { kind: 'user' as const, id: '', name: '' },
  data: { text: 'x'.repeat(length) },
});

describe('batchesOf', () => {
  it('keeps every event in order, within both bounds', () => {
    const lengths = fc.array(fc.oneof(fc.constant(0), fc.constantFrom(1_000, BATCH_BYTES / 2, BATCH_BYTES * 2)), {
      maxLength: 500,
    });
    fc.assert(
      fc.property(lengths, (all) => {
        const events = all.map((length, n) => event(n, length));
        const batches = batchesOf(events);
        expect(batches.flatMap((batch) => batch.events)).toEqual(events);
        for (const { events: some, size } of batches) {
          expect(some.length).toBeGreaterThan(0);
          expect(some.length).toBeLessThanOrEqual(EVENTS_PER_BATCH);
          expect(some.length === 1 || size <= BATCH_BYTES).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });
});
