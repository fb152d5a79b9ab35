import { describe, expect, it } from '@jest/globals';

import { fileTree, filesOf } from './file-tree.js';
import type { TreeNode } from './file-tree.js';

type File = { readonly path: string };
const files = (...paths: string[]): File[] => paths.map((path) => ({ path }));

/** `src/ [a.ts b.ts]`, one line a node. */
function outline(nodes: readonly TreeNode<File>[], indent = ''): string[] {
  return nodes.flatMap((node) => (node.kind === 'file' ? [indent + node.name] : [`${indent}${node.name}/`, ...outline(node.children, `${indent}  `)]));
}

describe('fileTree', () => {
  it('is empty without files', () => expect(fileTree([])).toEqual([]));

  it('keeps the order of the files, and puts a folder where its first file stands', () => {
    expect(outline(fileTree(files('src/z.ts', 'README.md', 'src/a.ts')))).toEqual(['src/', '  z.ts', '  a.ts', 'README.md']);
  });

  it('joins folders that hold nothing but one folder, and no folder with its file', () => {
    expect(outline(fileTree(files('a/b/c/one.ts', 'a/b/c/two.ts', 'a/b/d.ts', 'x/y/only.ts')))).toEqual([
      'a/b/',
      '  c/',
      '    one.ts',
      '    two.ts',
      '  d.ts',
      'x/y/',
      '  only.ts',
    ]);
  });

  it('knows a joined folder by its whole path', () => {
    expect(fileTree(files('x/y/only.ts'))[0]).toMatchObject({ kind: 'folder', name: 'x/y', path: 'x/y' });
  });

  it('tells a file from a folder of the same name', () => {
    expect(outline(fileTree(files('lib', 'lib/index.ts')))).toEqual(['lib', 'lib/', '  index.ts']);
  });
});

describe('filesOf', () => {
  it('gives the files as they are shown', () => {
    expect(filesOf(fileTree(files('src/z.ts', 'README.md', 'src/a.ts'))).map(({ path }) => path)).toEqual(['src/z.ts', 'src/a.ts', 'README.md']);
  });
});
