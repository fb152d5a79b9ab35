import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { longestWord, topWords, words } from '../src/text-stats.js';

describe('words', () => {
  it('drops punctuation and case', () => {
    assert.deepEqual(words("Don't panic: it's 4 o'clock!"), ["don't", 'panic', "it's", "o'clock"]);
  });

  it('is empty for a text without words', () => {
    assert.deepEqual(words('42 — 7'), []);
  });
});

describe('longestWord', () => {
  it('takes the first of several', () => {
    assert.equal(longestWord('an apple and a grape'), 'apple');
    assert.equal(longestWord(''), null);
  });
});

describe('topWords', () => {
  it('sorts by count, then by the alphabet', () => {
    assert.deepEqual(topWords('b a b c a', 2), [
      ['a', 2],
      ['b', 2],
    ]);
  });
});
