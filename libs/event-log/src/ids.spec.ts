import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { isEntityId } from '@bullpen/contracts';

import { derivedEntityId, eventId, newEntityId, parseEventId, sha256OfCanonicalJson } from './index.js';

describe('Event ids', () => {
  it('are sequence × 256 + index, there and back', () => {
    expect(eventId(3, 7)).toBe('775');
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 44 }), fc.integer({ min: 0, max: 255 }), (sequence, index) => {
        expect(parseEventId(eventId(sequence, index))).toEqual({ sequence, index });
      }),
    );
  });

  it('are canonical decimals only', () => {
    for (const id of ['', ' 1', '01', '-1', '1.0', '1e3', '0x10', 'x', '９', '9007199254740992', '1'.repeat(40)]) {
      expect(parseEventId(id)).toBeNull();
    }
    expect(parseEventId('0')).toEqual({ sequence: 0, index: 0 });
  });

  it('refuse an index that no message has', () => {
    expect(() => eventId(1, 256)).toThrow('no event id');
    expect(() => eventId(1, -1)).toThrow('no event id');
  });
});

describe('Entity ids', () => {
  it('may become part of a subject and are new each time', () => {
    const ids = Array.from({ length: 200 }, newEntityId);
    expect(ids.every((id) => isEntityId(id) && id.startsWith('00'))).toBe(true);
    expect(new Set(ids).size).toBe(200);
  });

  it('are derived from all parts, and from where one ends', () => {
    expect(derivedEntityId('a', 'b')).toBe(derivedEntityId('a', 'b'));
    expect(derivedEntityId('a', 'b')).not.toBe(derivedEntityId('ab'));
    expect(derivedEntityId('a', 'b')).not.toBe(derivedEntityId('b', 'a'));
    expect(isEntityId(derivedEntityId('a'))).toBe(true);
    expect(derivedEntityId('a')).toHaveLength(28);
  });
});

describe('sha256OfCanonicalJson', () => {
  it('does not depend on the order of keys, but on everything else', () => {
    expect(sha256OfCanonicalJson({ a: 1, b: { c: [1, 2], d: null } })).toBe(
      sha256OfCanonicalJson({ b: { d: null, c: [1, 2] }, a: 1 }),
    );
    expect(sha256OfCanonicalJson([1, 2])).not.toBe(sha256OfCanonicalJson([2, 1]));
    expect(sha256OfCanonicalJson({ a: '1' })).not.toBe(sha256OfCanonicalJson({ a: 1 }));
    expect(sha256OfCanonicalJson({ a: undefined })).toBe(sha256OfCanonicalJson({}));
  });
});
