import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { addWords, searchWords } from './search-words.js';

describe('the words of a search', () => {
  it('are letters and digits, lower-case, each once', () =>
    expect(searchWords('Fix src/login.ts: fix the Straße & 漢字 42!')).toEqual(['fix', 'src', 'login', 'ts', 'the', 'straße', '漢字', '42']));

  it('cannot say anything to the query language, whatever was typed', () =>
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => searchWords(text).every((word) => /^[\p{L}\p{N}]{1,64}$/u.test(word)))));

  it('are kept once, in order, and not without end', () => {
    expect(addWords('a b', ['b', 'c'])).toBe('a b c');
    const many = Array.from({ length: 20_000 }, (_, index) => `word${index}`);
    expect(addWords('first', many).length).toBeLessThanOrEqual(48 * 1024);
    expect(addWords('first', many)).toMatch(/^first word0 /);
  });
});
