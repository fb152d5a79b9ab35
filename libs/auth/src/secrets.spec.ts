import { describe, expect, it } from '@jest/globals';

import { newSecret, tokensEqual } from './secrets.js';

describe('newSecret', () => {
  it('is 64 hex digits and never the same', () => {
    const secrets = new Set(Array.from({ length: 100 }, newSecret));
    expect(secrets.size).toBe(100);
    for (const secret of secrets) expect(secret).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe('tokensEqual', () => {
  it('accepts only the very same token', () => {
    expect(tokensEqual('abc', 'abc')).toBe(true);
    expect(tokensEqual('abd', 'abc')).toBe(false);
    expect(tokensEqual('ab', 'abc')).toBe(false);
    expect(tokensEqual('', 'abc')).toBe(false);
  });

  it('accepts nothing when no token is set', () => {
    expect(tokensEqual('', '')).toBe(false);
  });
});
