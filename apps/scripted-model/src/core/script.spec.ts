import { describe, expect, it } from '@jest/globals';

import { MAX_SLOW_WORDS, parseScript } from './script.js';

describe('parseScript', () => {
  it('reads every kind of line, in order', () => {
    const prompt = ['write a/b.txt: one\\ntwo', 'edit a.ts: x => y z', 'read a.ts', 'run: git status --short', 'slow: 3', 'say: hi', 'error: 529'];
    expect(parseScript(prompt.join('\n'))).toEqual([
      { kind: 'write', path: 'a/b.txt', content: 'one\ntwo\n' },
      { kind: 'edit', path: 'a.ts', before: 'x', after: 'y z' },
      { kind: 'read', path: 'a.ts' },
      { kind: 'run', command: 'git status --short' },
      { kind: 'slow', words: 3 },
      { kind: 'say', text: 'hi' },
      { kind: 'error', status: 529 },
    ]);
  });

  it('leaves prose, quoted and indented lines out', () => {
    expect(parseScript('please write tests\n> run: ls\n  run: ls\nread this file too\nerror: 200')).toEqual([]);
  });

  it('keeps an escaped backslash and an empty file', () => {
    expect(parseScript('write a: x\\\\n')).toEqual([{ kind: 'write', path: 'a', content: 'x\\n\n' }]);
    expect(parseScript('write a:')).toEqual([{ kind: 'write', path: 'a', content: '\n' }]);
  });

  it('bounds slow text', () => {
    expect(parseScript('slow: 999999')).toEqual([{ kind: 'slow', words: MAX_SLOW_WORDS }]);
  });
});
