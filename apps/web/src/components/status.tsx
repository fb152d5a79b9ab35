import { Archive, CircleCheck, CircleDashed, CircleX, LoaderCircle } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';

import type { SessionStatus } from '@bullpen/contracts';

import { classNames } from '../lib/class-names.js';

const LOOKS: Readonly<Record<SessionStatus, { readonly word: string; readonly icon: LucideIcon; readonly colour: string }>> = {
  running: { word: 'Running', icon: LoaderCircle, colour: 'text-info' },
  queued: { word: 'Queued', icon: CircleDashed, colour: 'text-warn' },
  failed: { word: 'Failed', icon: CircleX, colour: 'text-error' },
  idle: { word: 'Ready', icon: CircleCheck, colour: 'text-ok' },
  archived: { word: 'Archived', icon: Archive, colour: 'text-muted' },
};

/** A state is always a picture and a word; `hasWord: false` only hides the word from the eye. */
export function StatusMark({ status, hasWord = true }: { readonly status: SessionStatus; readonly hasWord?: boolean }) {
  const { word, icon: Icon, colour } = LOOKS[status];
  return (
    <span className={classNames('inline-flex shrink-0 items-center gap-1.5 text-label font-medium', colour)}>
      <Icon size={14} aria-hidden className={classNames(status === 'running' && 'animate-spin')} />
      <span className={classNames(!hasWord && 'sr-only')}>{word}</span>
    </span>
  );
}
