import { describe, expect, it } from '@jest/globals';

import { ApiError } from '../../lib/api.js';
import { fieldOf } from './start-problem.js';

describe('fieldOf', () => {
  it.each([
    ['repository.branch-missing', 'branch'],
    ['repository.not-git', 'repository'],
    ['prompt.too-large', 'prompt'],
    ['agent.unknown', 'agent'],
    ['idempotency.mismatch', null],
  ])('of %s is %s', (code, field) => expect(fieldOf(new ApiError(422, code, 'No.'))).toBe(field));

  it('is none while nobody knows whether it was done', () => {
    expect(fieldOf(new ApiError(0, 'network.unreachable', 'No answer.'))).toBeNull();
    expect(fieldOf(new ApiError(503, 'repository.unreachable', 'Not now.'))).toBeNull();
  });
});
