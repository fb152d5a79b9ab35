import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Allowance } from './allowance.js';

const RATE = { perSecond: 10, burst: 20 };

describe('Allowance', () => {
  it('lets a burst through, then makes wait for what is owed', () => {
    const allowance = new Allowance(RATE, 0);
    expect(allowance.take(20, 0)).toBe(0);
    expect(allowance.take(5, 0)).toBe(500);
    expect(allowance.take(0, 500)).toBe(0);
  });

  it('fills up to the burst and no further, and not backwards when the clock does', () => {
    const allowance = new Allowance(RATE, 0);
    expect(allowance.take(20, 60_000)).toBe(0);
    expect(allowance.take(1, 30_000)).toBe(100);
  });

  it('property: a sender who waits as told never gets more than the burst and the rate', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 1, maxLength: 100 }), (amounts) => {
        const allowance = new Allowance(RATE, 0);
        let now = 0;
        let sent = 0;
        for (const amount of amounts) {
          sent += amount;
          now += allowance.take(amount, now);
          expect(sent).toBeLessThanOrEqual(RATE.burst + (now * RATE.perSecond) / 1_000 + 1e-6);
        }
      }),
    );
  });
});
