import { describe, expect, it } from '@jest/globals';
import { Bug, isRejectionOf } from '@bullpen/errors';

import { signSandboxToken, verifySandboxToken } from './sandbox-token.js';

const claims = { sandboxId: '00abc-2', sessionId: '00abc', generation: 2, expiresAt: 10_000 };
const key = 'k'.repeat(64);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    for (const code of ['token.invalid', 'token.expired']) if (isRejectionOf(error, code)) return code;
    throw error;
  }
  return 'accepted';
}

describe('verifySandboxToken', () => {
  it('gives back what was signed, until it expires', () => {
    const token = signSandboxToken(claims, key);
    expect(verifySandboxToken(token, key, 9_999)).toEqual(claims);
    expect(codeOf(() => verifySandboxToken(token, key, 10_000))).toBe('token.expired');
  });

  it('refuses a token of another key, also when it has expired', () => {
    const forged = signSandboxToken(claims, 'other');
    expect(codeOf(() => verifySandboxToken(forged, key, 0))).toBe('token.invalid');
    expect(codeOf(() => verifySandboxToken(forged, key, 20_000))).toBe('token.invalid');
  });

  it('refuses claims that were changed under the old signature', () => {
    const [version, , mac] = signSandboxToken(claims, key).split('.');
    const body = Buffer.from(JSON.stringify(['00abc-3', '00abc', 3, 10_000])).toString('base64url');
    expect(codeOf(() => verifySandboxToken(`${version}.${body}.${mac}`, key, 0))).toBe('token.invalid');
  });

  it('refuses a change of any single character', () => {
    const token = signSandboxToken(claims, key);
    for (let at = 0; at < token.length - 1; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;
      expect(codeOf(() => verifySandboxToken(changed, key, 0))).toBe('token.invalid');
    }
  });

  it.each(['', 'bps1..', 'x', 'bps1.e30.AA', `bps1.${'a'.repeat(3_000)}.${'A'.repeat(43)}`, '\u0000'])('refuses %j', (token) => {
    expect(codeOf(() => verifySandboxToken(token, key, 0))).toBe('token.invalid');
  });

  it('refuses a signed body that is not claims', () => {
    const token = signSandboxToken({ ...claims, generation: 'two' as unknown as number }, key);
    expect(codeOf(() => verifySandboxToken(token, key, 0))).toBe('token.invalid');
  });

  it('never signs or checks with an empty key', () => {
    expect(() => signSandboxToken(claims, '')).toThrow(Bug);
    expect(() => verifySandboxToken('bps1.e30.AA', '', 0)).toThrow(Bug);
  });
});
