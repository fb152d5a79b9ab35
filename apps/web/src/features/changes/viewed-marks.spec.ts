import { describe, expect, it } from '@jest/globals';

import { markKey, parseMarks, toggleMark } from './viewed-marks.js';

const MARK = { sessionId: 's', path: 'src/a.ts', contentId: '1..2' };

describe('toggleMark', () => {
  it('sets a mark, and takes it away', () => {
    const marks = toggleMark([], MARK);
    expect(marks).toEqual([markKey(MARK)]);
    expect(toggleMark(marks, MARK)).toEqual([]);
  });

  it('tells sessions, files and contents apart', () => {
    const marks = [MARK, { ...MARK, sessionId: 't' }, { ...MARK, path: 'b' }, { ...MARK, contentId: '1..3' }].reduce(toggleMark, [] as readonly string[]);
    expect(new Set(marks).size).toBe(4);
  });

  it('forgets the oldest beyond 2,000', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => markKey({ ...MARK, path: String(index) }));
    const marks = toggleMark(many, MARK);
    expect([marks.length, marks[0], marks.at(-1)]).toEqual([2_000, many[1], markKey(MARK)]);
  });
});

describe('parseMarks', () => {
  it.each([[null], ['not json'], ['{}'], ['null']])('reads none from %s', (text) => expect(parseMarks(text)).toEqual([]));

  it('reads what was kept, and leaves out the rest', () => expect(parseMarks('["a", 7, "b"]')).toEqual(['a', 'b']));
});
