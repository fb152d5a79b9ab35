import { useState } from 'react';
import { toast } from 'sonner';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { plural } from '../../lib/format.js';
import { setArchived } from './archive-sessions.js';

export interface SelectionBarProps {
  readonly selected: readonly string[];
  readonly isAllSelected: boolean;
  /** What is listed is archived already. */
  readonly isArchive: boolean;
  readonly onSelectAll: () => void;
  readonly onDone: () => void;
}

/** What can be done with the ticked sessions; both ways can be undone. */
export function SelectionBar({ selected, isAllSelected, isArchive, onSelectAll, onDone }: SelectionBarProps) {
  const [isPending, setPending] = useState(false);
  const act = async (): Promise<void> => {
    if (isPending || selected.length === 0) return;
    setPending(true);
    await changeAndTell(selected, !isArchive);
    setPending(false);
    onDone();
  };
  return (
    <div role="toolbar" aria-label="Selected sessions" className="flex flex-wrap items-center gap-2 border-t border-border bg-surface p-2">
      <output className="mr-auto pl-2 text-label text-muted">{`${selected.length} selected`}</output>
      {isAllSelected ? null : (
        <Button kind="quiet" onClick={onSelectAll}>
          Select all
        </Button>
      )}
      <Button aria-disabled={isPending || selected.length === 0} onClick={() => void act()}>
        {isPending ? 'Working…' : isArchive ? 'Bring back' : 'Archive'}
      </Button>
    </div>
  );
}

async function changeAndTell(ids: readonly string[], isArchived: boolean): Promise<void> {
  const { done, failed } = await setArchived(ids, isArchived);
  const [first] = failed;
  if (first !== undefined) {
    const title = isArchived ? `${plural(failed.length, 'session')} not archived` : `${plural(failed.length, 'session')} not brought back`;
    toast.error(title, { description: explain(first.error) });
  }
  if (done.length === 0) return;
  toast(isArchived ? `${plural(done.length, 'session')} archived` : `${plural(done.length, 'session')} brought back`, {
    action: { label: 'Undo', onClick: () => void undo(done, !isArchived) },
  });
}

async function undo(ids: readonly string[], isArchived: boolean): Promise<void> {
  const { failed } = await setArchived(ids, isArchived);
  const [first] = failed;
  if (first !== undefined) toast.error(`Not undone for ${plural(failed.length, 'session')}`, { description: explain(first.error) });
}
