import { createHash } from 'node:crypto';

import { ulid } from 'ulid';

import { CURRENT_PARTITION, MAX_EVENTS_PER_APPEND } from '@bullpen/contracts';
import { assert } from '@bullpen/errors';

/** Where an event lies: the message's stream sequence, and its place in that message. */
export interface EventPosition {
  readonly sequence: number;
  readonly index: number;
}

const CANONICAL_DECIMAL = /^(0|[1-9][0-9]{0,15})$/;
const CROCKFORD_LOWER = '0123456789abcdefghjkmnpqrstvwxyz';
const DERIVED_ID_CHARS = 26;

/** The event's id: sequence × 256 + index, a canonical decimal string. */
export function eventId(sequence: number, index: number): string {
  const id = sequence * MAX_EVENTS_PER_APPEND + index;
  assert(
    index >= 0 && index < MAX_EVENTS_PER_APPEND && Number.isSafeInteger(id),
    `no event id for message ${sequence}, index ${index}`,
  );
  return String(id);
}

/** Null for what no event can have as its id. `0` parses: it stands before every event. */
export function parseEventId(id: string): EventPosition | null {
  const value = CANONICAL_DECIMAL.test(id) ? Number(id) : Number.NaN;
  if (!Number.isSafeInteger(value)) return null;
  return { sequence: Math.floor(value / MAX_EVENTS_PER_APPEND), index: value % MAX_EVENTS_PER_APPEND };
}

/** Of a thing that is made now. Never the same twice; later ids sort after earlier ones, to the millisecond. */
export function newEntityId(): string {
  return `${CURRENT_PARTITION}${ulid().toLowerCase()}`;
}

/** The same parts give the same id for ever: the thing's existence is the memory of the request that made it. */
export function derivedEntityId(...parts: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  return `${CURRENT_PARTITION}${base32(digest).slice(0, DERIVED_ID_CHARS)}`;
}

/** Lower-case hex over JSON with sorted keys: equal for equal values, however they were written. */
export function sha256OfCanonicalJson(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sortKeys(value)) ?? 'undefined')
    .digest('hex');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}

function base32(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const groups = bits.match(/.{5}/g) ?? [];
  return groups.map((group) => CROCKFORD_LOWER[Number.parseInt(group, 2)]).join('');
}
