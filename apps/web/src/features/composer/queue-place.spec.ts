import { describe, expect, it } from '@jest/globals';

import { placeIn } from './queue-place.js';

describe('placeIn', () => {
  const queue = ['a', 'b', 'c'].map((promptId) => ({ promptId }));

  it('moves by one, to the end by none', () => {
    expect(placeIn(queue, 0)).toEqual({ position: 1, up: undefined, down: 'c' });
    expect(placeIn(queue, 1)).toEqual({ position: 2, up: 'a', down: null });
    expect(placeIn(queue, 2)).toEqual({ position: 3, up: 'b', down: undefined });
  });
});
