import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_BYTES = 32;

/** 256 random bits as 64 lower-case hex digits: fit for a token, a password or an HMAC key. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('hex');
}

/**
 * Whether a presented token is the expected one, in a time that does not depend on where they differ, nor on their lengths.
 * An empty expected token equals nothing: a missing setting must not open a door.
 */
export function tokensEqual(presented: string, expected: string): boolean {
  const same = timingSafeEqual(digest(presented), digest(expected));
  return same && expected.length > 0;
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}
