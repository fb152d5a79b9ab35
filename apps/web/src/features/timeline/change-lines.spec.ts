import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { changeOf, changedLines, countChange } from './change-lines.js';
import type { ToolItem } from './rows.js';

const call = (name: string, input: ToolItem['input']): ToolItem => ({ kind: 'tool', id: '1', toolCallId: 'c', name, title: '', input, state: 'succeeded', output: null, durationMs: 1 });
const written = (lines: readonly { kind: string; text: string }[] | null): string[] => (lines ?? []).map(({ kind, text }) => `${kind} ${text}`);

describe('changeOf', () => {
  it('shows what is written', () => {
    expect(written(changeOf(call('write', { path: 'a', content: 'x\ny\n' })))).toEqual(['add x', 'add y']);
  });

  it('reads edits as each agent gives them', () => {
    const expected = ['same a', 'remove b', 'add c', 'same d'];
    expect(written(changeOf(call('edit', { edits: [{ oldText: 'a\nb\nd', newText: 'a\nc\nd' }] })))).toEqual(expected);
    expect(written(changeOf(call('Edit', { old_string: 'a\nb\nd', new_string: 'a\nc\nd' })))).toEqual(expected);
    expect(written(changeOf(call('edit', { edits: [{ oldText: 'a', newText: 'b' }, { oldText: 'c', newText: 'd' }] })))).toEqual(['remove a', 'add b', 'gap ', 'remove c', 'add d']);
  });

  it('shows head and tail of a text that was cut', () => {
    const content = { text: 'head', tail: 'tail', sha256: 'f', bytes: 99 };
    expect(written(changeOf(call('write', { content })))).toEqual(['add head', 'add …', 'add tail']);
  });

  it('has nothing to show of other calls and of input it cannot read', () => {
    expect(changeOf(call('bash', { command: 'ls' }))).toBeNull();
    expect(changeOf(call('edit', { edits: 'x' }))).toBeNull();
    expect(changeOf(call('write', {}))).toBeNull();
  });
});

describe('changedLines', () => {
  const anyText = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 }).map((lines) => lines.join('\n'));

  it('removes and adds as many lines as the texts differ in length', () => {
    fc.assert(
      fc.property(anyText, anyText, (before, after) => {
        const { added, removed } = countChange(changedLines(before, after));
        const lengthOf = (text: string) => (text === '' ? 0 : text.split('\n').length);
        expect(added - removed).toBe(lengthOf(after) - lengthOf(before));
        if (before === after) expect(added + removed).toBe(0);
      }),
    );
  });
});
