import { Check, ListChecks, ListFilter, X } from 'lucide-react';
import { useRef } from 'react';

import type { SessionStatus } from '@bullpen/contracts';
import type { SessionFilter } from '@bullpen/sync-protocol';

import { IconButton } from '../../components/icon-button.js';
import { Menu } from '../../components/menu.js';
import type { MenuAction } from '../../components/menu.js';
import { TextField } from '../../components/text-field.js';
import type { Shortcut } from '../../lib/shortcuts.js';
import { useShortcut } from '../../lib/use-shortcut.js';
import { useRepositories } from './use-repositories.js';
import type { RepositoryName } from './use-repositories.js';

const SEARCH: Shortcut = { key: '/', scope: 'Everywhere', label: 'Search the sessions' };
const STATUS_WORDS: Readonly<Record<SessionStatus, string>> = {
  running: 'Running',
  queued: 'Queued',
  failed: 'Failed',
  idle: 'Ready',
  archived: 'Archived',
};

export interface ListToolbarProps {
  readonly search: string;
  readonly onSearch: (text: string) => void;
  readonly filter: Omit<SessionFilter, 'q'>;
  readonly onFilter: (filter: Omit<SessionFilter, 'q'>) => void;
  readonly isSelecting: boolean;
  readonly onSelecting: (isSelecting: boolean) => void;
}

export function ListToolbar({ search, onSearch, filter, onFilter, isSelecting, onSelecting }: ListToolbarProps) {
  const field = useRef<HTMLInputElement>(null);
  useShortcut(SEARCH, () => field.current?.focus());
  const repositories = useRepositories();
  return (
    <div className="flex flex-col gap-2 border-b border-border px-2 pb-2">
      <search className="flex items-center gap-1">
        <TextField
          ref={field}
          type="search"
          aria-label="Search the sessions"
          placeholder="Search"
          value={search}
          onChange={({ target }) => onSearch(target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || search === '') return;
            event.stopPropagation();
            onSearch('');
          }}
        />
        <Menu
          trigger={
            <button type="button" aria-label="Filter the sessions" className={TRIGGER}>
              <ListFilter size={16} aria-hidden />
            </button>
          }
          groups={[statusChoices(filter, onFilter), repositoryChoices(repositories, { filter, onFilter })]}
        />
        <IconButton label={isSelecting ? 'Stop selecting' : 'Select sessions'} aria-pressed={isSelecting} onClick={() => onSelecting(!isSelecting)}>
          <ListChecks size={16} aria-hidden />
        </IconButton>
      </search>
      <ChosenFilters filter={filter} onFilter={onFilter} repositories={repositories} />
    </div>
  );
}

const TRIGGER =
  'inline-grid size-7 shrink-0 cursor-pointer place-items-center rounded-sm text-muted hover:bg-raised hover:text-text pointer-coarse:size-11';

type Filtering = Pick<ListToolbarProps, 'filter' | 'onFilter'>;

function statusChoices({ status, ...rest }: ListToolbarProps['filter'], onFilter: ListToolbarProps['onFilter']): readonly MenuAction[] {
  const words = Object.entries(STATUS_WORDS) as [SessionStatus, string][];
  return [
    { label: 'All but archived', icon: tick(status === undefined), onSelect: () => onFilter(rest) },
    ...words.map(([each, label]) => ({ label, icon: tick(each === status), onSelect: () => onFilter({ ...rest, status: each }) })),
  ];
}

function repositoryChoices(repositories: readonly RepositoryName[], { filter, onFilter }: Filtering): readonly MenuAction[] {
  const { repository, ...rest } = filter;
  return [
    { label: 'All repositories', icon: tick(repository === undefined), onSelect: () => onFilter(rest) },
    ...repositories.map(({ id, name }) => ({ label: name, icon: tick(id === repository), onSelect: () => onFilter({ ...rest, repository: id }) })),
  ];
}

function tick(isOn: boolean) {
  return <span className="inline-block size-4">{isOn ? <Check size={16} aria-label="Chosen:" /> : null}</span>;
}

function ChosenFilters({ filter, onFilter, repositories }: Filtering & { readonly repositories: readonly RepositoryName[] }) {
  const { status, repository, ...rest } = filter;
  if (status === undefined && repository === undefined) return null;
  const name = repositories.find(({ id }) => id === repository)?.name ?? 'One repository';
  return (
    <div className="flex flex-wrap gap-1">
      {status === undefined ? null : (
        <Chip text={STATUS_WORDS[status]} onRemove={() => onFilter(repository === undefined ? rest : { ...rest, repository })} />
      )}
      {repository === undefined ? null : <Chip text={name} onRemove={() => onFilter(status === undefined ? rest : { ...rest, status })} />}
    </div>
  );
}

function Chip({ text, onRemove }: { readonly text: string; readonly onRemove: () => void }) {
  return (
    <button
      type="button"
      aria-label={`Remove the filter ${text}`}
      onClick={onRemove}
      className="inline-flex h-6 max-w-full cursor-pointer items-center gap-1 rounded-full border border-control px-2 text-label hover:bg-raised pointer-coarse:h-11"
    >
      <span className="truncate">{text}</span>
      <X size={12} aria-hidden className="shrink-0" />
    </button>
  );
}
