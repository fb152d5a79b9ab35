import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { FrameLedger } from './frame-ledger.js';

function ledgerOf(count: number): FrameLedger {
  const ledger = new FrameLedger();
  for (let i = 0; i < count; i += 1) ledger.add(i < 3 ? 1 : 2, i * 10, 10);
  return ledger;
}

const numbers = (places: { n: number }[]) => places.map(({ n }) => n);

describe('FrameLedger', () => {
  it('numbers from 1 without gaps and gives what follows a number', () => {
    const ledger = ledgerOf(5);
    expect(numbers(ledger.after(0, 10, 1_000))).toEqual([1, 2, 3, 4, 5]);
    expect(numbers(ledger.after(3, 1, 1_000))).toEqual([4]);
    expect(numbers(ledger.after(0, 10, 25))).toEqual([1, 2]);
    expect(numbers(ledger.after(0, 10, 1))).toEqual([1]);
    expect(ledger.after(5, 10, 100)).toEqual([]);
  });

  it('forgets what is acknowledged, once', () => {
    const ledger = ledgerOf(5);
    ledger.acknowledge(3);
    ledger.acknowledge(2);
    expect(ledger.bytes).toBe(20);
    expect(ledger.firstSegment).toBe(2);
    expect(numbers(ledger.after(0, 10, 1_000))).toEqual([4, 5]);
    ledger.acknowledge(5);
    expect(ledger.firstSegment).toBeNull();
    expect(() => ledger.acknowledge(6)).toThrow('frame 6');
  });

  it('delivers every frame once through any cuts and acknowledgements', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('add', 'send', 'ack', 'cut'), { maxLength: 60 }), (steps) => {
        const ledger = new FrameLedger();
        const received: number[] = [];
        let cursor = 0;
        for (const step of [...steps, 'cut', 'send'] as const) {
          if (step === 'add') ledger.add(1, 0, 1);
          if (step === 'ack') ledger.acknowledge(received.length);
          // The receiver says how far it came, whatever this side believes.
          if (step === 'cut') ledger.acknowledge((cursor = received.length));
          if (step === 'send') {
            for (const { n } of ledger.after(cursor, 100, 100)) received.push((cursor = n));
          }
        }
        expect(received).toEqual(Array.from({ length: ledger.lastN }, (_, i) => i + 1));
      }),
    );
  });
});
