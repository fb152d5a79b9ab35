import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import { age, bytes, count, duration } from './format.js';
import { Page } from './page.js';
import { displayWidth, fit, neutralJson, neutralLine, neutralise, outputLines } from './terminal-text.js';

const ANY_TEXT = fc.string({ unit: 'binary' });
// oxlint-disable-next-line no-control-regex -- these characters are what must not be there
const DANGEROUS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('neutralise', () => {
  it('leaves nothing that can drive a terminal, whatever comes in', () => {
    fc.assert(fc.property(ANY_TEXT, (text) => !DANGEROUS.test(neutralise(text))));
    fc.assert(fc.property(ANY_TEXT, (text) => !/[\n\t]/.test(neutralLine(text)) && !DANGEROUS.test(neutralLine(text))));
    fc.assert(fc.property(ANY_TEXT, (text) => outputLines(text).every((line) => !DANGEROUS.test(line) && !line.includes('\n'))));
  });

  it('keeps ordinary text, emoji and line breaks, drops colours, and shows the rest', () => {
    expect(neutralise('naïve 日本 🎉\n\tok')).toBe('naïve 日本 🎉\n\tok');
    expect(neutralise('\u001b[1;32mok\u001b[0m\r\n')).toBe('ok\n');
    expect(neutralise('\u001b]0;t\u0007\u007f\u009b')).toBe('␛]0;t␇␡\ufffd');
  });

  it('never changes what JSON means', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
        const safe = neutralJson(JSON.stringify(JSON.parse(json)));
        expect(JSON.parse(safe)).toEqual(JSON.parse(json));
        expect(safe).not.toMatch(DANGEROUS);
      }),
    );
  });
});

describe('outputLines', () => {
  it('shows what a terminal would have left of a progress bar', () => {
    expect(outputLines('10%\r50%\r100%\ndone\r\n\n')).toEqual(['100%', 'done']);
  });
});

describe('fit', () => {
  it('never needs more columns than there are', () => {
    fc.assert(fc.property(ANY_TEXT, fc.integer({ min: 1, max: 40 }), (text, width) => displayWidth(fit(text, width)) <= width));
    expect(fit('日本語テキスト', 7)).toBe('日本語…');
    expect(displayWidth('、。「」￥')).toBe(10);
    expect(fit('abc', 3)).toBe('abc');
  });
});

describe('Page', () => {
  it('loses nothing but spaces where it breaks a line, however text is cut into pieces', () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '日') }), { maxLength: 30 });
    fc.assert(
      fc.property(pieces, fc.integer({ min: 20, max: 60 }), (texts, width) => {
        const page = new Page(width);
        page.enter('text');
        const out = texts.map((text) => (page.stream(text, (piece) => piece), page.take())).join('');
        page.endLine();
        const all = out + page.take();
        expect(all.replace(/\s/g, '')).toBe(texts.join('').replace(/\s/g, ''));
        const whole = new Page(width);
        whole.enter('text');
        whole.stream(texts.join(''), (piece) => piece);
        whole.endLine();
        expect(whole.take()).toBe(all);
      }),
    );
  });
});

describe('format', () => {
  it('writes times, sizes and counts for people', () => {
    expect([0, 99, 100, 4_260, 59_999, 125_000, 3_720_000].map(duration)).toEqual(['0ms', '99ms', '0.1s', '4.2s', '59.9s', '2m 05s', '1h 02m']);
    expect([0, 999, 1_000, 1_234_567].map(count)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([5, 2_048, 3 * 1_048_576].map(bytes)).toEqual(['5 B', '2.0 KB', '3.0 MB']);
    const now = Date.UTC(2026, 10, 23, 12);
    expect(['2026-11-23T11:59:30Z', '2026-11-23T11:00:00Z', '2026-11-20T12:00:00Z', ''].map((at) => age(at, now))).toEqual(['now', '1h', '3d', 'now']);
  });
});
