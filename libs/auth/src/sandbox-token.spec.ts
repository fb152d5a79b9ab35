import { describe, expect, it } from '@jest/globals';
import { Bug, isRejectionOf } from '@bullpen/errors';

import { readSandboxToken, signSandboxToken } from './sandbox-token.js';

const claims = { sandboxId: '00abc-2', sessionId: '00abc', generation: 2, expiresAt: 10_000 };
const key = 'k'.repeat(64);

function isRefused(token: string): boolean {
  try {
    readSandboxToken(token);
    return false;
  } catch (error) {
    return isRejectionOf(error, 'token.invalid');
  }
}

describe('signSandboxToken', () => {
  it('gives the same token for the same claims and key only', () => {
    const token = signSandboxToken(claims, key);
    expect(signSandboxToken({ ...claims }, key)).toBe(token);
    const others = [
      signSandboxToken(claims, 'other'),
      signSandboxToken({ ...claims, sandboxId: '00abc-3' }, key),
      signSandboxToken({ ...claims, sessionId: '00abd' }, key),
      signSandboxToken({ ...claims, generation: 3 }, key),
      signSandboxToken({ ...claims, expiresAt: 10_001 }, key),
    ];
    expect(new Set([token, ...others]).size).toBe(6);
  });

  it('never signs with an empty key', () => {
    expect(() => signSandboxToken(claims, '')).toThrow(Bug);
  });
});

describe('readSandboxToken', () => {
  it('gives back what was signed', () => {
    expect(readSandboxToken(signSandboxToken(claims, key))).toEqual(claims);
  });

  it.each(['', 'bps1..', 'x', 'bps1.e30.AA', `bps1.e30.${'A'.repeat(43)}`, `bps1.${'a'.repeat(3_000)}.${'A'.repeat(43)}`, '\u0000'])('refuses %j', (token) => {
    expect(isRefused(token)).toBe(true);
  });

  it('refuses a signed body that is not claims', () => {
    expect(isRefused(signSandboxToken({ ...claims, generation: 'two' as unknown as number }, key))).toBe(true);
  });
});
