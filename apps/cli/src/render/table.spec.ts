import { describe, expect, it } from '@jest/globals';

import { tableCells, tableLine } from './table.js';
import { displayWidth } from './terminal-text.js';

const COLUMNS = [{ heading: 'ID' }, { heading: 'FILES', dropAt: 2 }, { heading: 'USED', dropAt: 1 }, { heading: 'TITLE' }];
const ROWS = [['0123456789', '1', '5m', 'a title that goes on'], ['x', '22', 'now', '工具工具']];
const table = (width: number | null): string[] => tableCells(COLUMNS, ROWS, width).map(tableLine);

describe('a table', () => {
  it('is whole where nothing limits it', () => {
    expect(table(null)).toEqual(['ID          FILES  USED  TITLE', '0123456789  1      5m    a title that goes on', 'x           22     now   工具工具']);
  });

  it('cuts its last column first, then leaves others out, and stays within the terminal', () => {
    expect(table(36)[1]).toBe('0123456789  1      5m    a title th…');
    expect(table(30)[0]).toBe('ID          USED  TITLE');
    expect(table(22)).toEqual(['ID          TITLE', '0123456789  a title t…', 'x           工具工具']);
    for (const width of [22, 26, 30, 40]) expect(Math.max(...table(width).map(displayWidth))).toBeLessThanOrEqual(width);
  });
});
