import { describe, expect, it } from '@jest/globals';

import type { StoredEvent } from '@bullpen/contracts';

import { ObjectReferences } from './object-references.js';

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
const event = (data: StoredEvent['data']): StoredEvent => {
  return { type: 'CheckpointCreated', v: 1, at: '', actor: { kind: 'sandbox', id: '', name: '' }, data };
};

describe('the objects of sessions', () => {
  it('are nobody\u2019s once the last session that names them is gone', () => {
    const references = new ObjectReferences();
    references.add('one', [event({ patch: { sha256: a }, files: [{ output: { sha256: b } }] })]);
    references.add('two', [event({ patch: { sha256: a, bytes: 3 } })]);
    expect(references.remove('one')).toEqual([b]);
    expect([references.isNamed(a), references.isNamed(b)]).toEqual([true, false]);
    expect(references.remove('two')).toEqual([a]);
    expect(references.remove('two')).toEqual([]);
  });

  it('are not whatever looks like one', () => {
    const references = new ObjectReferences();
    references.add('one', [event({ text: a, sha256: 'short', patch: { sha256: '' } })]);
    expect(references.remove('one')).toEqual([]);
  });
});
