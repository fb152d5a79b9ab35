import { describe, expect, it } from '@jest/globals';

import type { FileChange, JsonRecord } from '@bullpen/contracts';
import type { Turn, TurnItem } from '@bullpen/session-model';

import { latestFirst } from './latest-files.js';

const file = (path: string): FileChange => ({ path, change: 'modified', previousPath: '', insertions: 1, deletions: 0, binary: false });
const tool = (name: string, input: JsonRecord): TurnItem => ({
  kind: 'tool',
  id: '1',
  toolCallId: '1',
  name,
  title: '',
  input,
  state: 'succeeded',
  output: null,
  durationMs: 1,
});
const turn = (...items: TurnItem[]): Turn => ({ items }) as unknown as Turn;
const FILES = [file('README.md'), file('src/a.ts'), file('src/b.ts')];
const order = (...turns: Turn[]): string[] => latestFirst(FILES, turns).map(({ path }) => path);

describe('latestFirst', () => {
  it('keeps the order when no tool named a file', () => expect(order()).toEqual(['README.md', 'src/a.ts', 'src/b.ts']));

  it('puts the file that was changed last first, over all turns', () => {
    expect(order(turn(tool('write', { path: 'src/a.ts' })), turn(tool('edit', { path: 'src/b.ts' })))).toEqual(['src/b.ts', 'src/a.ts', 'README.md']);
  });

  it('counts a file once, at its last change', () => {
    const turns = turn(tool('edit', { path: 'src/a.ts' }), tool('edit', { path: 'src/b.ts' }), tool('edit', { path: './src/a.ts' }));
    expect(order(turns)).toEqual(['src/a.ts', 'src/b.ts', 'README.md']);
  });

  it('finds the file of a path from the root of the machine', () => {
    expect(order(turn(tool('Edit', { file_path: '/home/agent/work/src/b.ts' })))[0]).toBe('src/b.ts');
  });

  it('takes no notice of what only reads, runs or says', () => {
    const items = [tool('read', { path: 'src/b.ts' }), tool('bash', { command: 'touch src/b.ts' }), tool('edit', { path: 7 })];
    expect(order(turn({ kind: 'text', id: '2', partId: 'p', text: 'src/b.ts' }, ...items))).toEqual(['README.md', 'src/a.ts', 'src/b.ts']);
  });
});
