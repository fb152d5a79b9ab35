import { describe, expect, it } from '@jest/globals';

import { clampLines, readOutput, shownText } from './output-text.js';

describe('shownText', () => {
  it('shows what a terminal would: the last of lines written over, no controls, no empty end', () => {
    expect(shownText('10%\r50%\r100%\ndone\r\n\n')).toBe('100%\ndone');
    expect(shownText('a\u0007b\u0000\n\u001b]0;title\u0007c')).toBe('ab\nc');
    expect(shownText('working\r')).toBe('working');
  });
});

describe('readOutput', () => {
  it('turns colours into ours, over lines, and drops those that have no meaning here', () => {
    expect(readOutput('a\u001b[31;1mred\nstill\u001b[0m \u001b[38;5;200mx')).toEqual([
      { text: 'a', className: '' },
      { text: 'red\nstill', className: 'text-error font-semibold' },
      { text: ' ', className: '' },
      { text: 'x', className: '' },
    ]);
  });

  it('leaves markup as text', () => {
    expect(readOutput('<b>&amp;')).toEqual([{ text: '<b>&amp;', className: '' }]);
  });
});

describe('clampLines', () => {
  const lines = (count: number): string => Array.from({ length: count }, (_, index) => index).join('\n');

  it('keeps the first or the last lines', () => {
    expect(clampLines(lines(40), 'first', 2)).toEqual({ text: '0\n1', lines: 40, isClamped: true });
    expect(clampLines(lines(40), 'last', 2)).toEqual({ text: '38\n39', lines: 40, isClamped: true });
  });

  it('does not hide a single line', () => {
    expect(clampLines(lines(3), 'first', 2).isClamped).toBe(false);
  });
});
