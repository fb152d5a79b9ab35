import { createHmac } from 'node:crypto';

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
const SHAPE = /^bps1\.([A-Za-z0-9_-]{1,1900})\.[A-Za-z0-9_-]{43}$/;

/**
 * `bps1.<claims>.<HMAC-SHA256>`, base64url. Readable by whoever holds it, made only by whoever holds the key. The same claims and
 * key give the same token.
 */
export function signSandboxToken(claims: SandboxTokenClaims, key: string): string {
  assert(key.length > 0, 'a sandbox token needs a key');
  const { sandboxId, sessionId, generation, expiresAt } = claims;
  const body = Buffer.from(JSON.stringify([sandboxId, sessionId, generation, expiresAt])).toString('base64url');
  const mac = createHmac('sha256', key).update(`${VERSION}.${body}`).digest('base64url');
  return `${VERSION}.${body}.${mac}`;
}

/**
 * What its holder reads in a token, which proves nothing to anybody else.
 *
 * @throws Rejection `token.invalid` when it does not have the shape of one
 */
export function readSandboxToken(token: string): SandboxTokenClaims {
  const claims = readClaims(SHAPE.exec(token)?.[1] ?? '');
  if (claims) return claims;
  throw new Rejection('token.invalid', 'The sandbox token does not have the shape of one. Start a new generation of the sandbox to get a valid one.');
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
