import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { MAX_EVENT_STRING_BYTES } from '@bullpen/contracts';

import { clipInput, clipProgress, clipText, lastChars, shorten, utf8Bytes } from './clipping.js';

function keeper() {
  const kept: string[] = [];
  return { kept, keep: (text: string) => `sha-${kept.push(text)}` };
}

describe('clipText', () => {
  it('leaves a text of 16 KB whole', () => {
    const { kept, keep } = keeper();
    const text = 'x'.repeat(MAX_EVENT_STRING_BYTES);
    expect(clipText(text, keep)).toEqual({ text, tail: '', sha256: '', bytes: text.length });
    expect(kept).toEqual([]);
  });

  it('cuts a longer one to a beginning, an end and an object with the whole, never inside a character', () => {
    const unit = fc.constantFrom('a', 'é', '€', '😀');
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 7 }), (units) => {
        const text = units.join('').repeat(9_000);
        const { kept, keep } = keeper();
        const clipped = clipText(text, keep);
        if (clipped.sha256 === '') return expect(clipped.text).toBe(text);
        expect(kept).toEqual([text]);
        expect(text.startsWith(clipped.text)).toBe(true);
        expect(text.endsWith(clipped.tail)).toBe(true);
        expect(clipped.bytes).toBe(utf8Bytes(text));
        expect(utf8Bytes(clipped.text) + utf8Bytes(clipped.tail)).toBeLessThan(MAX_EVENT_STRING_BYTES);
        return undefined;
      }),
      { numRuns: 20 },
    );
  });
});

describe('clipProgress', () => {
  it('keeps beginning and end of long output, without an object', () => {
    const clipped = clipProgress(`begin${'.'.repeat(20_000)}end`);
    expect(clipped).toMatchObject({ sha256: '', bytes: 20_008 });
    expect(clipped.text).toMatch(/^begin/);
    expect(clipped.tail).toMatch(/end$/);
    expect(clipped.text.length + clipped.tail.length).toBe(4_096);
  });
});

describe('clipInput', () => {
  it('cuts long strings where they are', () => {
    const { kept, keep } = keeper();
    const long = 'x'.repeat(20_000);
    const input = clipInput({ path: 'a', edits: [{ content: long }] }, keep);
    expect(input).toMatchObject({ path: 'a', edits: [{ content: { sha256: 'sha-1', bytes: 20_000 } }] });
    expect(kept).toEqual([long]);
  });

  it('replaces arguments that are large in sum', () => {
    const { kept, keep } = keeper();
    const input = { lines: Array.from({ length: 400 }, () => 'y'.repeat(1_000)) };
    expect(clipInput(input, keep)).toMatchObject({ clipped: { sha256: 'sha-1' } });
    expect(kept).toEqual([JSON.stringify(input)]);
  });
});

describe('shorten and lastChars', () => {
  it('never leave half a pair', () => {
    expect(shorten('ab😀cd', 4)).toBe('ab…');
    expect(lastChars('ab😀', 1)).toBe('');
    expect(lastChars('ab😀', 2)).toBe('😀');
  });
});
