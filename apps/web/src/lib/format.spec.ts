import { describe, expect, it } from '@jest/globals';

import { formatAge, formatCost, formatCount, formatDuration, plural } from './format.js';

const NOW = Date.parse('2026-03-04T12:00:00Z');

describe('formatAge', () => {
  it.each([
    ['2026-03-04T11:59:31Z', 'now'],
    ['2026-03-04T11:56:00Z', '4m'],
    ['2026-03-04T09:01:00Z', '2h'],
    ['2026-03-01T11:00:00Z', '3d'],
    ['2026-01-20T11:00:00Z', '6w'],
    ['2026-03-04T12:00:05Z', 'now'],
  ])('of %s is %s', (iso, age) => expect(formatAge(iso, NOW)).toBe(age));
});

describe('formatDuration', () => {
  it.each([
    [0, '0.0s'],
    [449, '0.4s'],
    [9_999, '9.9s'],
    [10_000, '10s'],
    [59_999, '59s'],
    [72_000, '1:12'],
    [3_723_000, '1:02:03'],
  ])('of %d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe('formatCount', () => {
  it.each([
    [0, '0'],
    [999, '999'],
    [1_250, '1.2k'],
    [41_900, '41k'],
    [1_290_000, '1.2M'],
  ])('of %d is %s', (count, text) => expect(formatCount(count)).toBe(text));
});

describe('formatCost', () => {
  it.each([
    [0, '$0'],
    [0.004, '<$0.01'],
    [0.42, '$0.42'],
    [12.5, '$12.50'],
  ])('of %d is %s', (usd, text) => expect(formatCost(usd)).toBe(text));
});

describe('plural', () => {
  it('counts one and many', () => expect([plural(1, 'file'), plural(3, 'file'), plural(2, 'reply', 'replies')]).toEqual(['1 file', '3 files', '2 replies']));
});
