import { describe, expect, it } from '@jest/globals';

import { parseNatsUrl } from './nats-address.js';

describe('parseNatsUrl', () => {
  it('takes credentials out of the address, and never shows them', () => {
    expect(parseNatsUrl('nats://bp:s3%40cret@log.example:4333')).toEqual({
      servers: ['log.example:4333'],
      shown: 'log.example:4333',
      login: { user: 'bp', pass: 's3@cret' },
    });
    expect(parseNatsUrl('nats://t0ken@log.example').login).toEqual({ token: 't0ken' });
  });

  it('takes several servers, and the port that NATS has when none is named', () => {
    expect(parseNatsUrl('nats://a:1, b:2,nats://c')).toEqual({ servers: ['a:1', 'b:2', 'c:4222'], shown: 'a:1,b:2,c:4222', login: null });
  });

  it.each(['', 'http://a:1', 'tls://a:1', 'nats://', 'nats://s3cret:x y@:::'])('refuses %j without repeating it', (url) => {
    expect(() => parseNatsUrl(url)).toThrow(expect.objectContaining({ code: 'nats.url' }) as unknown as Error);
    expect(() => parseNatsUrl(url)).not.toThrow(/s3cret/);
  });
});
