import { describe, expect, it } from '@jest/globals';

import { AVOID_MS, Peers } from './peers.js';

describe('Peers', () => {
  it('goes round, naming every replica once', () => {
    const peers = new Peers(['a', 'b', 'c']);
    expect([1, 2, 3, 4].map((now) => peers.order(now).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  });

  it('puts who failed last for a while, or until it answers', () => {
    const peers = new Peers(['a', 'b']);
    peers.failed('a', 0);
    expect([peers.order(1), peers.order(1), peers.order(AVOID_MS)].map(([first]) => first)).toEqual(['b', 'b', 'a']);
    peers.failed('b', AVOID_MS);
    peers.answered('b');
    expect(peers.order(AVOID_MS + 1)).toEqual(['b', 'a']);
  });

  it('asks one alone, however often it failed', () => {
    const peers = new Peers(['a']);
    peers.failed('a', 0);
    expect(peers.order(1)).toEqual(['a']);
  });
});
