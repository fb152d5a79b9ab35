import { describe, expect, it } from '@jest/globals';

import { note, noteText, whyOf } from './session-why.js';
import type { Notable } from './session-why.js';

const at = (notable: Notable | null, agentHasIt: boolean | null = null, turns = 1): string =>
  whyOf({ notable, turns, queuedPrompts: [], running: agentHasIt === null ? null : { agentHasIt } });
const said = (...texts: string[]): Notable | null => {
  let offset = 0;
  let notable: Notable | null = null;
  for (const text of texts) {
    notable = noteText(notable, { partId: '1.1', offset, text });
    offset += text.length;
  }
  return notable;
};

describe('why a session is where it is', () => {
  it('says so when nothing was said', () => {
    expect([at(null, null, 0), at(null), at(null, true), at(null, false)]).toEqual(['No prompt yet', 'Done', 'Thinking', 'Waiting for a sandbox']);
  });

  it('is what the agent does, and what it said', () => {
    expect(at(note('doing', 'npm test\n  --watch'), true)).toBe('npm test --watch');
    expect(at(said('## Fixed\n\n`auth.ts` comp', 'ares **seconds**.'))).toBe('Fixed auth.ts compares seconds.');
  });

  it('is why it failed, that it was stopped, or that no sandbox comes', () => {
    expect(at(note('failed', 'The model answered 529.'))).toBe('Failed: The model answered 529.');
    expect(at(note('cancelled', ''))).toBe('Stopped');
    expect(at(note('no-sandbox', 'The disk is full.'), false)).toBe('No sandbox yet: The disk is full.');
  });

  it('is one short line, whatever it is made of', () => {
    for (const text of ['x'.repeat(500), '😀'.repeat(300), `a\n${'b '.repeat(300)}`]) {
      for (const kind of ['doing', 'failed', 'no-sandbox'] as const) {
        expect(Array.from(at(note(kind, text), false)).length).toBeLessThanOrEqual(140);
        expect(Array.from(at(note(kind, text))).length).toBeLessThanOrEqual(140);
      }
    }
    expect(at(said('x'.repeat(500)))).toBe(`${'x'.repeat(139)}…`);
    expect(at(said('  \n'))).toBe('Done');
  });

  it('keeps nothing that Postgres refuses', () => {
    for (const text of [`${'x'.repeat(199)}😀`, 'a\ud83d', '\ude00b']) {
      expect(JSON.stringify([note('doing', text), said(text)])).not.toMatch(/\\ud[89a-f]/i);
    }
  });

  it('takes text only where it goes on', () => {
    const before = said('Hello');
    expect(noteText(before, { partId: '1.1', offset: 9, text: 'x' })).toBe(before);
    expect(noteText(before, { partId: '1.2', offset: 5, text: 'x' })).toBe(before);
    const doing = note('doing', 'ls');
    expect(noteText(doing, { partId: '1.1', offset: 5, text: 'x' })).toBe(doing);
    expect(noteText(doing, { partId: '1.2', offset: 0, text: 'x' })).toEqual({ kind: 'said', partId: '1.2', text: 'x' });
  });
});
