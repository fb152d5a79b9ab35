import type { KeyboardEvent, MouseEvent } from 'react';

import type { SessionRow as Row } from '@bullpen/sync-protocol';

import { StatusMark } from '../../components/status.js';
import { classNames } from '../../lib/class-names.js';
import { formatAge, formatCount, plural } from '../../lib/format.js';

export interface SessionRowProps {
  readonly row: Row;
  readonly now: number;
  readonly isCurrent: boolean;
  readonly isUnread: boolean;
  /** One of them takes part in the order of the tab key; the arrows do the rest. */
  readonly isTabStop: boolean;
  /** Null: rows open sessions. */
  readonly isSelected: boolean | null;
  readonly onOpen: (sessionId: string) => void;
  readonly onToggle: (sessionId: string, isRange: boolean) => void;
}

const SHAPE = 'flex min-w-0 cursor-pointer gap-2 rounded-sm px-2 py-1.5 hover:bg-raised';

export function SessionRow(props: SessionRowProps) {
  return <li>{props.isSelected === null ? <OpeningRow {...props} /> : <SelectableRow {...props} isSelected={props.isSelected} />}</li>;
}

/** A link, so that it can be opened in another tab, too. */
function OpeningRow({ row, isCurrent, isTabStop, onOpen, ...line }: SessionRowProps) {
  const open = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    onOpen(row.id);
  };
  return (
    <a
      href={`/s/${row.id}`}
      data-session-row={row.id}
      tabIndex={isTabStop ? 0 : -1}
      aria-current={isCurrent ? 'page' : undefined}
      className={classNames(SHAPE, isCurrent && 'bg-raised')}
      onClick={open}
    >
      <RowText row={row} {...line} />
    </a>
  );
}

function SelectableRow({ row, isSelected, isTabStop, onToggle, ...line }: SessionRowProps & { readonly isSelected: boolean }) {
  const toggleByKey = (event: KeyboardEvent): void => {
    if (event.key !== ' ' || !event.shiftKey) return;
    event.preventDefault();
    onToggle(row.id, true);
  };
  return (
    <label className={classNames(SHAPE, isSelected && 'bg-raised')}>
      <input
        type="checkbox"
        data-session-row={row.id}
        tabIndex={isTabStop ? 0 : -1}
        checked={isSelected}
        aria-label={row.title}
        className="mt-0.5 size-4 shrink-0 accent-accent pointer-coarse:size-6"
        onKeyDown={toggleByKey}
        onChange={({ nativeEvent }) => onToggle(row.id, nativeEvent instanceof globalThis.MouseEvent && nativeEvent.shiftKey)}
      />
      <RowText row={row} {...line} />
    </label>
  );
}

function RowText({ row, now, isUnread }: Pick<SessionRowProps, 'row' | 'now' | 'isUnread'>) {
  return (
    <span className="flex min-w-0 flex-1 flex-col gap-0.5">
      <span className="flex min-w-0 items-center gap-2">
        <span className={classNames('min-w-0 flex-1 truncate', isUnread ? 'font-semibold' : 'font-medium')} title={row.title}>
          {row.title}
        </span>
        {isUnread ? (
          <span className="size-2 shrink-0 rounded-full bg-accent">
            <span className="sr-only">New</span>
          </span>
        ) : null}
        <time dateTime={row.updatedAt} className="shrink-0 text-label text-muted">
          {formatAge(row.updatedAt, now)}
        </time>
      </span>
      <span className="truncate text-label text-muted">{row.why}</span>
      <span className="flex min-w-0 items-center gap-2 text-label text-muted">
        <StatusMark status={row.status} />
        <span className="min-w-0 flex-1 truncate">{row.repository.name}</span>
        {row.queued > 0 ? <span className="shrink-0">{`${row.queued} waiting`}</span> : null}
        <Lines row={row} />
      </span>
    </span>
  );
}

function Lines({ row: { additions, deletions, filesChanged } }: { readonly row: Row }) {
  if (additions === 0 && deletions === 0) return filesChanged === 0 ? null : <span className="shrink-0">{plural(filesChanged, 'file')}</span>;
  return (
    <span className="shrink-0">
      <span className="text-ok">+{formatCount(additions)}</span> <span className="text-error">−{formatCount(deletions)}</span>
    </span>
  );
}
