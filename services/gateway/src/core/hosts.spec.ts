import { describe, expect, it } from '@jest/globals';

import { isKnownHost, isKnownOrigin } from './hosts.js';

describe('isKnownHost', () => {
  it.each([
    '127.0.0.1:4800',
    'localhost:4800',
    'LocalHost:4800',
    '[::1]:4800',
    'bullpen.example.org',
    'bullpen.example.org:443',
    'b.org:81',
  ])('knows %s', (host) => expect(isKnownHost(host, 4800, ['bullpen.example.org', 'b.org:81'])).toBe(true));

  it.each([
    undefined,
    '',
    'localhost',
    'localhost:4801',
    'evil.org:4800',
    'localhost.evil.org:4800',
    'x.bullpen.example.org',
    'b.org',
    'b.org:82',
  ])('does not know %s', (host) => expect(isKnownHost(host, 4800, ['bullpen.example.org', 'b.org:81'])).toBe(false));

  it('needs no port where browsers leave it out', () => {
    expect(isKnownHost('localhost', 80, [])).toBe(true);
  });
});

describe('isKnownOrigin', () => {
  it('is for pages: a program sends none', () => {
    expect(isKnownOrigin(undefined, 4800, [])).toBe(true);
    expect(isKnownOrigin('http://localhost:4800', 4800, [])).toBe(true);
    expect(isKnownOrigin('https://bullpen.example.org', 4800, ['bullpen.example.org'])).toBe(true);
    for (const origin of ['null', '', 'http://localhost:3000', 'https://evil.org', 'file://', 'ftp://localhost:4800']) {
      expect([origin, isKnownOrigin(origin, 4800, ['bullpen.example.org'])]).toEqual([origin, false]);
    }
  });
});
