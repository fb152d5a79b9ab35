import { describe, expect, it } from '@jest/globals';

import { remoteFailure } from './probe.js';

describe('remoteFailure', () => {
  it.each([
    [401, 'repository.not-readable'],
    [403, 'repository.not-readable'],
    [404, 'repository.not-found'],
    [410, 'repository.not-found'],
    [301, 'repository.not-found'],
    [200, 'repository.not-git'],
    [400, 'repository.not-git'],
    [429, 'repository.unreachable'],
    [503, 'repository.unreachable'],
  ])('reads status %d as %s', (status, code) => {
    expect(remoteFailure('https://example.com/x', status, null)).toMatchObject({ code });
  });

  it('tells where a repository has moved to', () => {
    const moved = remoteFailure('https://example.com/x', 301, 'https://example.com/y/info/refs?service=git-upload-pack');
    expect(moved.message).toContain('moved to https://example.com/y.');
  });
});
