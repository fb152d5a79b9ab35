import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { REDACTED, Redactor } from './redactor.js';

const SECRET = 'abcabcabd-abcabc';
const redactor = new Redactor([SECRET]);

/** Texts that hold the secret, parts of it and things that look like it. */
const texts = fc
  .array(
    fc.oneof(
      fc.constant(SECRET),
      fc.nat(SECRET.length).map((n) => SECRET.slice(0, n)),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

function pieces(text: string, places: number[]): string[] {
  const cuts = [...new Set(places.map((place) => place % (text.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...cuts].map((start, i) => text.slice(start, cuts[i] ?? text.length));
}

describe('Redactor', () => {
  it('never lets the secret out of a stream, however it is split, and changes nothing else', () => {
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 20 }), (text, places) => {
        const stream = redactor.stream();
        const out =
          pieces(text, places)
            .map((piece) => stream.push(piece))
            .join('') + stream.end();
        expect(out).not.toContain(SECRET);
        expect(out).toBe(redactor.text(text));
      }),
    );
  });

  it('holds back no more than could still become the secret', () => {
    const stream = redactor.stream();
    expect(stream.push('hello abc')).toBe('hello ');
    expect(stream.push('x')).toBe('abcx');
    expect(stream.push(`${SECRET}!`)).toBe(`${REDACTED}!`);
  });

  it('leaves a secret that has begun out of an unfinished text', () => {
    expect(redactor.unfinished(`out: ${SECRET.slice(0, 10)}`)).toBe('out: ');
    expect(redactor.unfinished('done\n')).toBe('done\n');
  });

  it('replaces it at any depth, in keys too', () => {
    const value = { [SECRET]: [{ deep: `x${SECRET}y`, n: 1, no: null }] };
    expect(redactor.json(value)).toEqual({ [REDACTED]: [{ deep: `x${REDACTED}y`, n: 1, no: null }] });
  });

  it('replaces nothing for lack of a secret', () => {
    expect(new Redactor(['', 'short']).text('a short text')).toBe('a short text');
  });
});
