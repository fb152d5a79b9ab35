import { describe, expect, it } from '@jest/globals';

import { SHOWN_AFTER_MS, bannerOf } from './banner.js';

const retrying = { status: 'retrying', attempt: 3, since: 10_000, nextAt: 15_200 } as const;

describe('bannerOf', () => {
  it('says nothing while the line is fine, or has only just gone', () => {
    expect(bannerOf({ status: 'live' }, 0)).toBeNull();
    expect(bannerOf({ status: 'connecting' }, 0)).toBeNull();
    expect(bannerOf(retrying, 10_000 + SHOWN_AFTER_MS - 1)).toBeNull();
  });

  it('counts attempts, and down to the next one', () => {
    expect(bannerOf(retrying, 11_500)).toEqual({ kind: 'retrying', title: 'Reconnecting', detail: 'Attempt 3 · next in 4s' });
    expect(bannerOf(retrying, 15_300)?.detail).toBe('Attempt 3 · trying now');
  });

  it('says why it will not come back', () => {
    const error = { code: 'session.deleted', message: 'This session was deleted.', details: {} };
    expect(bannerOf({ status: 'failed', error }, 0)).toEqual({ kind: 'failed', title: 'Not live any more', detail: 'This session was deleted.' });
  });
});
