import { describe, expect, it } from '@jest/globals';

import { Bug, Fault, Rejection, assert, describeError, isRejectionOf } from './errors.js';

describe('describeError', () => {
  it('keeps code, text and details of a rejection and of a fault', () => {
    expect(describeError(new Rejection('a.b', 'No x.', { x: 1 }))).toEqual({ code: 'a.b', message: 'No x.', details: { x: 1 } });
    expect(describeError(new Fault('c.d', 'Down.', { retryAfterMs: 5 })).code).toBe('c.d');
  });

  it('says nothing of the inside of a bug or of an unknown error', () => {
    expect(describeError(new Bug('secret state')).message).not.toContain('secret');
    expect(describeError('boom').code).toBe('internal');
  });
});

describe('assert', () => {
  it('throws a Bug with its sentence, and narrows otherwise', () => {
    expect(() => assert(false, 'seq must grow')).toThrow(Bug);
    const value: string | null = 'x' as string | null;
    assert(value !== null, 'value');
    expect(value.length).toBe(1);
  });
});

describe('isRejectionOf', () => {
  it('tells rejections apart by code', () => {
    expect(isRejectionOf(new Rejection('a', ''), 'a')).toBe(true);
    expect(isRejectionOf(new Rejection('a', ''), 'b')).toBe(false);
    expect(isRejectionOf(new Fault('a', ''), 'a')).toBe(false);
  });
});
