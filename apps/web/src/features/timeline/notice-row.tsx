import { CircleX, Info, TriangleAlert } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';

import { classNames } from '../../lib/class-names.js';
import type { NoticeLevel, NoticeRow } from './rows.js';
import { ScrollBox } from './scroll-box.js';

const LOOKS: Readonly<Record<NoticeLevel, { readonly icon: LucideIcon; readonly word: string; readonly colour: string; readonly frame: string }>> = {
  info: { icon: Info, word: 'Note', colour: 'text-muted', frame: '' },
  warning: { icon: TriangleAlert, word: 'Warning', colour: 'text-warn', frame: '' },
  error: { icon: CircleX, word: 'Failed', colour: 'text-error', frame: 'my-1 rounded-sm border border-error bg-surface px-3 py-2' },
};

/** What the platform says: its first line in words, what a process wrote below it as it was. */
export function NoticeView({ row: { level, text } }: { readonly row: NoticeRow }) {
  const { icon: Icon, word, colour, frame } = LOOKS[level];
  const [first = '', ...others] = text.trimEnd().split('\n');
  return (
    <div className={classNames('min-w-0', frame === '' ? 'py-1 pl-6' : frame)}>
      <p className="flex min-w-0 items-start gap-2">
        <span className={classNames('flex h-5 shrink-0 items-center gap-1.5 font-medium', colour)}>
          <Icon size={14} aria-hidden />
          {word}
        </span>
        <span className={classNames('min-w-0 break-words', level === 'info' && 'text-muted')}>{first}</span>
      </p>
      {others.length === 0 ? null : (
        <ScrollBox label="Details" className="mt-1 max-h-[240px] overflow-auto text-code text-muted">
          <pre>{others.join('\n')}</pre>
        </ScrollBox>
      )}
    </div>
  );
}
