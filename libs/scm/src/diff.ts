import type { DiffStats, FileChange, FileChangeKind } from '@bullpen/contracts';

import type { Shadow } from './shadow.js';

export const MAX_FILE_CHANGES = 500;

export interface ChangedFiles {
  /** By path, at most MAX_FILE_CHANGES. */
  readonly files: readonly FileChange[];
  /** How many files differ, also those left out. */
  readonly total: number;
}

/** What differs between two trees or commits, renames found, and its sums over all files. */
export async function diffTrees(
  shadow: Shadow,
  from: string,
  to: string,
  signal?: AbortSignal,
): Promise<ChangedFiles & { stats: DiffStats }> {
  const args = ['diff-tree', '-r', '-z', '-M', '--raw', '--numstat', '--no-ext-diff', '--no-textconv', from, to];
  const { stdout } = await shadow.run(args, { signal });
  const all = parseChanges(stdout);
  const stats = {
    files: all.length,
    insertions: all.reduce((sum, file) => sum + file.insertions, 0),
    deletions: all.reduce((sum, file) => sum + file.deletions, 0),
  };
  return { files: all.slice(0, MAX_FILE_CHANGES), total: all.length, stats };
}

/** from..to as git patch text that `git apply` takes, binary files included; empty when nothing differs. */
export async function patchOf(shadow: Shadow, from: string, to: string, signal?: AbortSignal): Promise<Buffer> {
  const args = [
    'diff-tree',
    '-r',
    '-p',
    '-M',
    '--binary',
    '--full-index',
    '--no-color',
    '--no-ext-diff',
    '--no-textconv',
    from,
    to,
  ];
  return (await shadow.run(args, { signal })).stdout;
}

/** Reads `--raw --numstat -z`: first a `:modes shas status` entry per file, then a `+ - path` entry per file, in the same order. */
function parseChanges(output: Buffer): FileChange[] {
  const fields = output.toString('utf8').split('\0');
  const changes: FileChange[] = [];
  let at = 0;
  for (; fields[at]?.startsWith(':') === true; at += 2) {
    const status = fields[at]?.split(' ').at(-1) ?? '';
    const isRename = status.startsWith('R');
    const previousPath = isRename ? (fields[at + 1] ?? '') : '';
    if (isRename) at += 1;
    changes.push({
      path: fields[at + 1] ?? '',
      change: kindOf(status),
      previousPath,
      insertions: 0,
      deletions: 0,
      binary: false,
    });
  }
  return changes.map((change) => {
    const [insertions = '', deletions = ''] = (fields[at] ?? '').split('\t');
    at += change.previousPath === '' ? 1 : 3;
    return { ...change, insertions: countOf(insertions), deletions: countOf(deletions), binary: insertions === '-' };
  });
}

function kindOf(status: string): FileChangeKind {
  const kinds: Readonly<Record<string, FileChangeKind>> = { A: 'added', D: 'deleted', R: 'renamed' };
  return kinds[status.slice(0, 1)] ?? 'modified';
}

function countOf(text: string): number {
  return text === '-' || text === '' ? 0 : Number(text);
}
