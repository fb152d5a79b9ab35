import type { FileDiffMetadata } from '@pierre/diffs';
import { processFile } from '@pierre/diffs';

import type { FileChangeKind } from '@bullpen/contracts';

/** One file of a patch: what a list shows of it. The lines are parsed when they are shown, by `parseDiff`. */
export interface PatchFile {
  readonly path: string;
  /** Null unless renamed. */
  readonly previousPath: string | null;
  readonly change: FileChangeKind;
  readonly insertions: number;
  readonly deletions: number;
  readonly binary: boolean;
  /** The same contents before and after have the same one: what was viewed is viewed until the file changes again. */
  readonly contentId: string;
  /** Another mode: a script that became executable. */
  readonly isModeChanged: boolean;
  /** Characters of `text`, and lines of the file in it. */
  readonly size: number;
  readonly lines: number;
  /** Its part of the patch. */
  readonly text: string;
}

const FILE_START = 'diff --git ';
const HUNK_START = '\n@@ ';
const BINARY = /^(?:GIT binary patch|Binary files .* differ)$/m;
/** Above one of these a diff is drawn only when somebody asks for it. */
export const LARGE_CHARACTERS = 400_000;
export const LARGE_LINES = 5_000;

const KINDS: Readonly<Record<FileDiffMetadata['type'], FileChangeKind>> = {
  change: 'modified',
  'rename-pure': 'renamed',
  'rename-changed': 'renamed',
  new: 'added',
  deleted: 'deleted',
};

/** The files of a git patch, in its order. What is not a file's part of one is left out. */
export function patchFiles(patch: string): readonly PatchFile[] {
  return partsOf(patch).flatMap((text) => {
    const file = patchFile(text);
    return file === null ? [] : [file];
  });
}

export function isLarge({ size, lines }: PatchFile): boolean {
  return size > LARGE_CHARACTERS || lines > LARGE_LINES;
}

/** Null when the part cannot be read. */
export function parseDiff(file: PatchFile): FileDiffMetadata | null {
  return processFile(file.text, { isGitDiff: true }) ?? null;
}

function partsOf(patch: string): readonly string[] {
  const parts: string[] = [];
  let start = patch.startsWith(FILE_START) ? 0 : nextStart(patch, 0);
  while (start >= 0) {
    const end = nextStart(patch, start);
    parts.push(patch.slice(start, end < 0 ? undefined : end));
    start = end;
  }
  return parts;
}

/** Lines of a file begin with a sign or a space, those of a binary one hold no space: neither can look like the start of a part. */
function nextStart(patch: string, after: number): number {
  const at = patch.indexOf(`\n${FILE_START}`, after);
  return at < 0 ? -1 : at + 1;
}

function patchFile(text: string): PatchFile | null {
  const hunks = text.indexOf(HUNK_START);
  const head = hunks < 0 ? text : text.slice(0, hunks + 1);
  const binary = hunks < 0 && BINARY.test(head);
  // The lines of a binary part are of no use, and may be many.
  const parsed = processFile(binary ? head.slice(0, head.search(BINARY)) : head, { isGitDiff: true });
  if (parsed === undefined || parsed.name === '') return null;
  const { name, prevName, type, prevObjectId, newObjectId, mode, prevMode } = parsed;
  return {
    path: name,
    previousPath: prevName ?? null,
    change: KINDS[type],
    binary,
    contentId: `${prevObjectId ?? prevName ?? ''}..${newObjectId ?? name}`,
    isModeChanged: prevMode !== undefined && mode !== undefined && prevMode !== mode,
    size: text.length,
    text,
    ...countLines(hunks < 0 ? '' : text.slice(hunks + 1)),
  };
}

function countLines(hunks: string): Pick<PatchFile, 'insertions' | 'deletions' | 'lines'> {
  const counts = { insertions: 0, deletions: 0, lines: 0 };
  for (let start = 0; start < hunks.length; ) {
    const sign = hunks[start];
    if (sign === '+') counts.insertions += 1;
    if (sign === '-') counts.deletions += 1;
    if (sign === '+' || sign === '-' || sign === ' ') counts.lines += 1;
    const end = hunks.indexOf('\n', start);
    start = end < 0 ? hunks.length : end + 1;
  }
  return counts;
}
