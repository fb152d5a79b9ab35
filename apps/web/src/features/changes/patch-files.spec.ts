import { describe, expect, it } from '@jest/globals';

import type { PatchFile } from './patch-files.js';

// The library looks at the browser's name as it is loaded.
Object.defineProperty(globalThis, 'navigator', { value: { userAgent: '' }, configurable: true });
const { LARGE_CHARACTERS, LARGE_LINES, isLarge, parseDiff, patchFiles } = await import('./patch-files.js');

const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);
const NONE = '0'.repeat(40);

const MODIFIED = `diff --git a/src/math.ts b/src/math.ts
index ${OLD}..${NEW} 100644
--- a/src/math.ts
+++ b/src/math.ts
@@ -1,3 +1,4 @@ export
 one
-two
+deux
+--- trois
 quatre
`;
const ADDED = `diff --git a/new file.txt b/new file.txt
new file mode 100644
index ${NONE}..${NEW}
--- /dev/null
+++ b/new file.txt
@@ -0,0 +1 @@
+diff --git a/not b/a file
\\ No newline at end of file
`;
const DELETED = `diff --git a/gone.ts b/gone.ts
deleted file mode 100644
index ${OLD}..${NONE}
--- a/gone.ts
+++ /dev/null
@@ -1 +0,0 @@
-gone
`;
const RENAMED = `diff --git a/old.ts b/lib/new.ts
similarity index 100%
rename from old.ts
rename to lib/new.ts
`;
const BINARY = `diff --git a/logo.png b/logo.png
new file mode 100644
index ${NONE}..${NEW}
GIT binary patch
literal 10
Rcmd<$+ABCDEFGH

literal 0
HcmV?d00001

`;
const QUOTED = `diff --git "a/caf\\303\\251.txt" "b/caf\\303\\251.txt"
old mode 100644
new mode 100755
`;

const only = (patch: string): PatchFile => {
  const [file] = patchFiles(patch);
  if (file === undefined) throw new Error('The patch holds no file.');
  return file;
};

describe('patchFiles', () => {
  it('finds none in an empty patch, or in what is not one', () => {
    expect(patchFiles('')).toEqual([]);
    expect(patchFiles('nothing of the kind\n')).toEqual([]);
  });

  it('finds every file, in the order of the patch', () => {
    expect(patchFiles(MODIFIED + BINARY + ADDED + DELETED + RENAMED).map(({ path }) => path)).toEqual([
      'src/math.ts',
      'logo.png',
      'new file.txt',
      'gone.ts',
      'lib/new.ts',
    ]);
  });

  it('counts lines, also those that look like a header', () => {
    expect(only(MODIFIED)).toMatchObject({ change: 'modified', insertions: 2, deletions: 1, lines: 5, binary: false, previousPath: null });
  });

  it('takes a line of a file that looks like the start of another for a line', () => {
    expect(patchFiles(ADDED + DELETED)).toHaveLength(2);
    expect(only(ADDED)).toMatchObject({ change: 'added', insertions: 1, deletions: 0 });
  });

  it('tells a deleted file', () => expect(only(DELETED)).toMatchObject({ change: 'deleted', insertions: 0, deletions: 1 }));

  it('tells a renamed file and its old name', () => {
    expect(only(RENAMED)).toMatchObject({ change: 'renamed', path: 'lib/new.ts', previousPath: 'old.ts', insertions: 0, lines: 0 });
  });

  it('tells a binary file', () => expect(only(BINARY)).toMatchObject({ change: 'added', binary: true, insertions: 0, deletions: 0 }));

  it('reads a quoted name, and a change of the mode alone', () => {
    expect(only(QUOTED)).toMatchObject({ path: 'café.txt', change: 'modified', isModeChanged: true, lines: 0 });
    expect(only(MODIFIED).isModeChanged).toBe(false);
  });

  it('gives other contents another id', () => {
    expect(only(MODIFIED).contentId).toBe(`${OLD}..${NEW}`);
    expect(only(MODIFIED.replace(NEW, 'c'.repeat(40))).contentId).not.toBe(only(MODIFIED).contentId);
  });
});

describe('isLarge', () => {
  const file = only(MODIFIED);
  it.each([
    ['of few lines', file, false],
    ['at the bounds', { ...file, size: LARGE_CHARACTERS, lines: LARGE_LINES }, false],
    ['of many characters', { ...file, size: LARGE_CHARACTERS + 1 }, true],
    ['of many lines', { ...file, lines: LARGE_LINES + 1 }, true],
  ])('of a diff %s', (_, candidate, expected) => expect(isLarge(candidate)).toBe(expected));
});

describe('parseDiff', () => {
  it('gives the lines of both sides', () => {
    expect(parseDiff(only(MODIFIED))).toMatchObject({
      name: 'src/math.ts',
      deletionLines: ['one\n', 'two\n', 'quatre\n'],
      additionLines: ['one\n', 'deux\n', '--- trois\n', 'quatre\n'],
    });
  });
});
