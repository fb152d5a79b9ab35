import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { CHUNK_INTERVAL_MS, MAX_CHUNK_CHARS, TextCoalescer } from './text-coalescer.js';
import type { TextChunk } from './text-coalescer.js';

const pair = '😀';

/** UTF-16 units in any order, so that pairs are split between deltas and some are never whole. */
const delta = fc.array(
  fc.oneof(fc.constantFrom('a', pair, pair.charAt(0), pair.charAt(1), 'é'), fc.constant('x'.repeat(3_000))),
  { maxLength: 6 },
);
const step = fc.record({
  key: fc.constantFrom('1', '2'),
  text: delta.map((parts) => parts.join('')),
  waitMs: fc.integer({ min: 0, max: 80 }),
});

function run(steps: { key: string; text: string; waitMs: number }[]): TextChunk[] {
  const coalescer = new TextCoalescer(7);
  let now = 0;
  const chunks = steps.flatMap(({ key, text, waitMs }) => {
    now += waitMs;
    return [...coalescer.takeDue(now), ...coalescer.append('text', key, text, now)];
  });
  return [...chunks, ...coalescer.endPrompt()];
}

const splitsPair = (text: string) => /\p{Surrogate}/u.test(text);

describe('TextCoalescer', () => {
  it('loses, doubles and splits nothing, and every offset is where its chunk belongs', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const chunks = run(steps);
        const parts = new Map<string, string>();
        for (const { partId, offset, text } of chunks) {
          expect(offset).toBe((parts.get(partId) ?? '').length);
          expect(text.length).toBeLessThanOrEqual(MAX_CHUNK_CHARS);
          expect(text).not.toBe('');
          expect(splitsPair(text)).toBe(false);
          parts.set(partId, (parts.get(partId) ?? '') + text);
        }
        const lengths = new Map<string, number>();
        for (const { key, text } of steps) lengths.set(key, (lengths.get(key) ?? 0) + text.length);
        expect([...parts.values()].map((text) => text.length).toSorted()).toEqual(
          [...lengths.values()].filter((n) => n > 0).toSorted(),
        );
      }),
    );
  });

  it('puts one part together exactly, with pairs that were cut between deltas', () => {
    const units = fc.array(fc.constantFrom('a', pair, 'é', '\u2028'), { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(units, (text) => {
        const chunks = run([...text].flatMap((char) => char.split('')).map((unit) => ({ key: '1', text: unit, waitMs: 30 })));
        expect(chunks.map((chunk) => chunk.text).join('')).toBe(text);
      }),
    );
  });

  it('gives the first chunk at once and the next after the interval', () => {
    const coalescer = new TextCoalescer(1);
    expect(coalescer.append('text', 'a', 'one', 1_000)).toEqual([{ kind: 'text', partId: '1.1', offset: 0, text: 'one' }]);
    expect(coalescer.append('text', 'a', ' two', 1_010)).toEqual([]);
    expect(coalescer.dueAtMs).toBe(1_000 + CHUNK_INTERVAL_MS);
    expect(coalescer.takeDue(1_040)).toEqual([]);
    expect(coalescer.takeDue(1_050)).toEqual([{ kind: 'text', partId: '1.1', offset: 3, text: ' two' }]);
    expect(coalescer.dueAtMs).toBeNull();
  });

  it('gives 4 KB at once without waiting', () => {
    const coalescer = new TextCoalescer(1);
    coalescer.append('text', 'a', 'x', 0);
    expect(coalescer.append('text', 'a', 'y'.repeat(MAX_CHUNK_CHARS + 1), 1).map(({ text }) => text.length)).toEqual([
      MAX_CHUNK_CHARS,
    ]);
  });

  it('numbers text and reasoning apart, and parts of the next prompt anew', () => {
    const coalescer = new TextCoalescer(2);
    const chunks = [
      ...coalescer.append('reasoning', '1', 'a', 0),
      ...coalescer.append('text', '1', 'b', 0),
      ...coalescer.endPrompt(),
    ];
    expect([...chunks, ...coalescer.append('text', '1', 'c', 0)].map(({ partId }) => partId)).toEqual(['2.1', '2.2', '2.3']);
  });

  it('widens to the acknowledgement time it sees', () => {
    const coalescer = new TextCoalescer(1);
    for (let i = 0; i < 50; i += 1) coalescer.acknowledgedAfter(400);
    coalescer.append('text', 'a', 'x', 0);
    coalescer.append('text', 'a', 'y', 10);
    expect(coalescer.dueAtMs).toBeGreaterThan(390);
  });
});
