import { useMemo, useState } from 'react';
import type { KeyboardEvent } from 'react';

import type { SessionFilter } from '@bullpen/sync-protocol';

import { useSettled } from '../../lib/use-settled.js';
import { groupRows } from './list-groups.js';
import { ListBody } from './list-body.js';
import { ListToolbar } from './list-toolbar.js';
import { NOTHING_SELECTED, selectedOf, toggleSelected } from './selection.js';
import { SelectionBar } from './selection-bar.js';
import { useMarkSeen } from './use-seen.js';
import { useSessionList } from './use-session-list.js';

const SEARCH_DELAY_MS = 200;

export interface SessionListProps {
  /** Of the page that is open; null on any other. */
  readonly currentId: string | null;
  readonly onOpen: (sessionId: string) => void;
}

/** All sessions, by what a person has to do about them; pushed by the platform, searched by it, never polled. */
export function SessionList({ currentId, onOpen }: SessionListProps) {
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<Omit<SessionFilter, 'q'>>({});
  const [selection, setSelection] = useState<typeof NOTHING_SELECTED | null>(null);
  const q = useSettled(search.trim(), SEARCH_DELAY_MS);
  const filter = useMemo(() => ({ ...chosen, ...(q === '' ? {} : { q }) }), [chosen, q]);
  const list = useSessionList(filter);
  const groups = useMemo(() => groupRows(list.rows.values()), [list.rows]);
  const order = useMemo(() => groups.flatMap(({ rows }) => rows.map(({ id }) => id)), [groups]);
  useMarkSeen(currentId === null ? undefined : list.rows.get(currentId));
  const selected = selection === null ? null : selectedOf(selection, order);
  return (
    <div role="presentation" className="flex min-h-0 flex-1 flex-col" onKeyDown={moveByArrows}>
      <ListToolbar
        search={search}
        onSearch={setSearch}
        filter={chosen}
        onFilter={setChosen}
        isSelecting={selection !== null}
        onSelecting={(isOn) => setSelection(isOn ? NOTHING_SELECTED : null)}
      />
      <ListBody
        list={list}
        groups={groups}
        isFiltered={Object.keys(filter).length > 0}
        onClearFilter={() => {
          setSearch('');
          setChosen({});
        }}
        currentId={currentId}
        selectedIds={selection?.ids ?? null}
        onOpen={onOpen}
        onToggle={(id, isRange) => setSelection((before) => toggleSelected(before ?? NOTHING_SELECTED, id, { order, isRange }))}
      />
      {selected === null ? null : (
        <SelectionBar
          selected={selected}
          isAllSelected={selected.length === order.length}
          isArchive={chosen.status === 'archived'}
          onSelectAll={() => setSelection({ ids: new Set(order), anchor: null })}
          onDone={() => setSelection(null)}
        />
      )}
    </div>
  );
}

/** Up and down walk over the rows, from the search field, too; at the ends they stay. */
function moveByArrows(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-session-row]')];
  const at = rows.findIndex((row) => row === document.activeElement);
  const isFromSearch = event.target instanceof HTMLInputElement && event.target.type === 'search';
  if (step === 0 || event.defaultPrevented || (at === -1 && !isFromSearch)) return;
  event.preventDefault();
  if (at === 0 && step === -1) return event.currentTarget.querySelector<HTMLElement>('input[type=search]')?.focus();
  rows[at + step]?.focus();
}
