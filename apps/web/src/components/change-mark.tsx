import { FileMinus, FilePen, FilePlus, FileSymlink } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';

import type { FileChangeKind } from '@bullpen/contracts';

import { classNames } from '../lib/class-names.js';

const LOOKS: Readonly<Record<FileChangeKind, { readonly word: string; readonly icon: LucideIcon; readonly colour: string }>> = {
  added: { word: 'New', icon: FilePlus, colour: 'text-ok' },
  modified: { word: 'Modified', icon: FilePen, colour: 'text-muted' },
  deleted: { word: 'Deleted', icon: FileMinus, colour: 'text-error' },
  renamed: { word: 'Renamed', icon: FileSymlink, colour: 'text-info' },
};

/** What happened to a file, as a picture and a word; `hasWord: false` only hides the word from the eye. */
export function ChangeMark({ change, hasWord = true }: { readonly change: FileChangeKind; readonly hasWord?: boolean }) {
  const { word, icon: Icon, colour } = LOOKS[change];
  return (
    <span className={classNames('inline-flex shrink-0 items-center gap-1.5 text-label font-medium', colour)}>
      <Icon size={14} aria-hidden />
      <span className={classNames(!hasWord && 'sr-only')}>{word}</span>
    </span>
  );
}
