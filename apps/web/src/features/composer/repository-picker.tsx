import { FolderGit2 } from 'lucide-react';
import { Popover } from 'radix-ui';
import { Suspense, lazy, useState } from 'react';

import { Skeleton } from '../../components/states.js';
import { PickerButton } from './picker-button.js';
import type { Repository } from './repositories-query.js';

/** Its library comes when it is asked for. */
const RepositoryChoice = lazy(async () => ({ default: (await import('./repository-choice.js')).RepositoryChoice }));

export interface RepositoryPickerProps {
  readonly chosen: Repository | null;
  readonly isInvalid: boolean;
  readonly onChoose: (repository: Repository) => void;
}

export function RepositoryPicker({ chosen, isInvalid, onChoose }: RepositoryPickerProps) {
  const [isOpen, setOpen] = useState(false);
  const choose = (repository: Repository): void => {
    onChoose(repository);
    setOpen(false);
  };
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <PickerButton label="Repository" icon={<FolderGit2 size={14} aria-hidden className="shrink-0 text-muted" />} aria-invalid={isInvalid}>
          {chosen?.name ?? 'Choose a repository'}
        </PickerButton>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          aria-label="Choose a repository"
          className="z-50 flex max-h-[min(400px,var(--radix-popover-content-available-height))] w-[min(380px,calc(100vw-16px))] flex-col overflow-hidden rounded-md border border-border bg-surface shadow-overlay outline-none"
        >
          <Suspense fallback={<Skeleton className="m-2 h-9" label="Loading the repositories" />}>
            <RepositoryChoice chosenId={chosen?.id ?? null} onChoose={choose} />
          </Suspense>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
