import { Command } from 'cmdk';
import { Check, Plus } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';

import { ErrorState, Skeleton } from '../../components/states.js';
import { AddRepositoryForm } from './add-repository-form.js';
import { useRepositories } from './repositories-query.js';
import type { Repository } from './repositories-query.js';

const LOOKS_LIKE_A_SOURCE = /^(?:\/|~|https?:\/\/|ssh:\/\/|[\w.-]+@[\w.-]+:)/;

export interface RepositoryChoiceProps {
  readonly chosenId: string | null;
  readonly onChoose: (repository: Repository) => void;
}

/** The repositories there are, the one used last first, found by name or source; and a way to add one in place. */
export function RepositoryChoice({ chosenId, onChoose }: RepositoryChoiceProps) {
  const [text, setText] = useState('');
  const [isAdding, setAdding] = useState(false);
  const { data: repositories, error, isPending, refetch } = useRepositories();
  const field = useRef<HTMLInputElement>(null);
  // The popover gave the focus to its frame: this came later.
  useEffect(() => field.current?.focus(), [isAdding]);
  if (isAdding) return <AddRepositoryForm source={LOOKS_LIKE_A_SOURCE.test(text) ? text : ''} onAdded={onChoose} onBack={() => setAdding(false)} />;
  return (
    <Command label="Repositories" className="flex min-h-0 flex-col">
      <Command.Input
        ref={field}
        value={text}
        onValueChange={setText}
        placeholder="Find a repository…"
        className="h-10 shrink-0 border-b border-border bg-transparent px-3 text-ui outline-none placeholder:text-faint pointer-coarse:h-11 pointer-coarse:text-lead"
      />
      <Command.List className="min-h-0 flex-1 overflow-y-auto p-1">
        {isPending ? <Skeleton className="m-1 h-7" label="Loading the repositories" /> : null}
        {error === null ? null : <ErrorState title="The repositories cannot be listed" error={error} onRetry={() => void refetch()} />}
        {repositories?.map((repository) => (
          <Item key={repository.id} value={repository.id} keywords={[repository.name, repository.source]} onSelect={() => onChoose(repository)}>
            <span className="shrink-0">{repository.name}</span>
            <span className="min-w-0 flex-1 truncate text-label text-muted">{repository.source}</span>
            {repository.id === chosenId ? <Check size={14} aria-label="Chosen" className="shrink-0" /> : null}
          </Item>
        ))}
        <Item value="add" forceMount onSelect={() => setAdding(true)}>
          <Plus size={14} aria-hidden className="shrink-0" />
          <span className="min-w-0 truncate">{LOOKS_LIKE_A_SOURCE.test(text) ? `Add ${text}` : 'Add a repository…'}</span>
        </Item>
      </Command.List>
    </Command>
  );
}

interface ItemProps {
  readonly value: string;
  readonly keywords?: string[];
  readonly forceMount?: boolean;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}

function Item(props: ItemProps) {
  return (
    <Command.Item
      {...props}
      className="flex h-9 cursor-pointer items-center gap-2 rounded-sm px-2 text-ui data-[selected=true]:bg-raised pointer-coarse:h-11"
    />
  );
}
