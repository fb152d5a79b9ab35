import { createHmac, timingSafeEqual } from 'node:crypto';

import { Rejection, assert } from '@bullpen/errors';

/** What a sandbox token says: which sandbox of which session and generation may speak, and until when. */
export interface SandboxTokenClaims {
  readonly sandboxId: string;
  readonly sessionId: string;
  readonly generation: number;
  /** Unix time in milliseconds; from then on the token is refused. */
  readonly expiresAt: number;
}

const VERSION = 'bps1';
const MAX_TOKEN_CHARS = 2_000;
const SHAPE = /^bps1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

/**
 * `bps1.<claims>.<HMAC-SHA256>`, base64url. Readable by whoever holds it, made only by whoever holds the key. The same claims and
 * key give the same token.
 */
export function signSandboxToken(claims: SandboxTokenClaims, key: string): string {
  const { sandboxId, sessionId, generation, expiresAt } = claims;
  const body = Buffer.from(JSON.stringify([sandboxId, sessionId, generation, expiresAt])).toString('base64url');
  return `${VERSION}.${body}.${macOf(body, key).toString('base64url')}`;
}

/**
 * The claims of a token that was signed with `key`. Whether the generation is still the current one is the caller's to check.
 *
 * @param now Unix time in milliseconds
 * @throws Rejection `token.invalid` (malformed, or signed with another key), `token.expired`
 */
export function verifySandboxToken(token: string, key: string, now: number): SandboxTokenClaims {
  const [, body = '', mac = ''] = (token.length <= MAX_TOKEN_CHARS && SHAPE.exec(token)) || [];
  const given = Buffer.from(mac, 'base64url');
  const expected = macOf(body, key);
  const genuine = given.length === expected.length && timingSafeEqual(given, expected);
  const claims = genuine ? readClaims(body) : null;
  if (!claims)
    throw new Rejection(
      'token.invalid',
      'The sandbox token is not one of ours. Start a new generation of the sandbox to get a valid one.',
    );
  if (claims.expiresAt <= now) {
    const { sandboxId, expiresAt } = claims;
    throw new Rejection(
      'token.expired',
      `The token of sandbox ${sandboxId} has expired. Start a new generation to get a valid one.`,
      {
        sandboxId,
        expiresAt,
      },
    );
  }
  return claims;
}

function macOf(body: string, key: string): Buffer {
  assert(key.length > 0, 'a sandbox token needs a key');
  return createHmac('sha256', key).update(`${VERSION}.${body}`).digest();
}

function readClaims(body: string): SandboxTokenClaims | null {
  try {
    const [sandboxId, sessionId, generation, expiresAt] = JSON.parse(
      Buffer.from(body, 'base64url').toString('utf8'),
    ) as unknown[];
    if (typeof sandboxId !== 'string' || typeof sessionId !== 'string') return null;
    if (typeof generation !== 'number' || typeof expiresAt !== 'number') return null;
    return { sandboxId, sessionId, generation, expiresAt };
  } catch {
    return null;
  }
}
