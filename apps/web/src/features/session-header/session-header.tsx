import { Archive, ArchiveRestore, Ellipsis, Link2, PanelRight, Pencil, Trash2 } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { toast } from 'sonner';

import { IconButton } from '../../components/icon-button.js';
import { Menu } from '../../components/menu.js';
import type { MenuAction } from '../../components/menu.js';
import { explain } from '../../components/states.js';
import { StatusMark } from '../../components/status.js';
import { usePageActions } from '../../lib/page-actions.js';
import { useSessionState } from '../../lib/session-context.js';
import { describeShortcut } from '../../lib/shortcuts.js';
import type { Shortcut } from '../../lib/shortcuts.js';
import { useShortcut } from '../../lib/use-shortcut.js';
import { DeleteDialog } from './delete-dialog.js';
import { useArchive } from './session-calls.js';
import { TitleField } from './title-field.js';

const COPY_LINK: Shortcut = { key: 'y', scope: 'Session', label: 'Copy link' };
const ARCHIVE: Shortcut = { key: 'e', scope: 'Session', label: 'Archive or unarchive' };

export interface SessionHeaderProps {
  readonly sessionId: string;
  /** In the corner. */
  readonly start: ReactNode;
  /** Chat, changes. */
  readonly tabs: ReactNode;
  readonly details: PaneToggle;
  readonly onDeleted: () => void;
}

export interface PaneToggle {
  readonly isOpen: boolean;
  readonly shortcut: Shortcut;
  readonly onToggle: () => void;
}

/** What the session is called, how it stands, and what can be done with it as a whole. */
export function SessionHeader({ sessionId, start, tabs, details, onDeleted }: SessionHeaderProps) {
  const title = useSessionState((state) => state.title);
  const status = useSessionState((state) => state.status);
  const repository = useSessionState((state) => state.repository?.name ?? '');
  const [isDeleting, setDeleting] = useState(false);
  const askToDelete = useCallback(() => setDeleting(true), []);
  const [isRenaming, setRenaming] = useState(false);
  const rename = useCallback(() => setRenaming(true), []);
  const actions = useActions(sessionId, rename, askToDelete);
  return (
    <header className="flex min-h-12 flex-wrap items-center gap-x-2 gap-y-1 border-b border-border bg-surface px-3 py-2">
      {start}
      <div className="flex min-w-0 flex-1 items-center gap-1">
        <TitleField sessionId={sessionId} title={title} isEditing={isRenaming} onEditing={setRenaming} />
      </div>
      <div className="flex items-center gap-4 max-md:order-last max-md:w-full max-md:justify-between max-md:pl-2">
        <span className="hidden max-w-[200px] truncate text-muted xl:inline">{repository}</span>
        <StatusMark status={status} />
        {tabs}
      </div>
      <Menu
        groups={[actions.filter(({ group }) => group === 'keep'), actions.filter(({ group }) => group === 'remove')]}
        trigger={
          <IconButton label="More actions">
            <Ellipsis size={16} aria-hidden />
          </IconButton>
        }
      />
      <IconButton label={details.isOpen ? 'Hide the details' : 'Show the details'} keys={describeShortcut(details.shortcut)} onClick={details.onToggle}>
        <PanelRight size={16} aria-hidden />
      </IconButton>
      <DeleteDialog sessionId={sessionId} title={title} isOpen={isDeleting} onOpenChange={setDeleting} onDeleted={onDeleted} />
    </header>
  );
}

type SessionAction = MenuAction & { readonly group: 'keep' | 'remove' };

/** The same in the menu, in the palette and by their keys. */
function useActions(sessionId: string, onRename: () => void, onDelete: () => void): readonly SessionAction[] {
  const isArchived = useSessionState((state) => state.archived);
  const setArchived = useArchiveWithUndo(sessionId);
  const actions = useMemo<readonly SessionAction[]>(
    () => [
      { group: 'keep', label: 'Copy link', icon: <Link2 size={14} aria-hidden />, keys: describeShortcut(COPY_LINK), onSelect: () => void copyLink(sessionId) },
      isArchived
        ? { group: 'keep', label: 'Unarchive', icon: <ArchiveRestore size={14} aria-hidden />, keys: describeShortcut(ARCHIVE), onSelect: () => setArchived(false) }
        : { group: 'keep', label: 'Archive', icon: <Archive size={14} aria-hidden />, keys: describeShortcut(ARCHIVE), onSelect: () => setArchived(true) },
      { group: 'keep', label: 'Rename', icon: <Pencil size={14} aria-hidden />, onSelect: onRename },
      { group: 'remove', label: 'Delete…', icon: <Trash2 size={14} aria-hidden />, isDangerous: true, onSelect: onDelete },
    ],
    [sessionId, isArchived, setArchived, onRename, onDelete],
  );
  usePageActions(actions);
  useShortcut(COPY_LINK, () => void copyLink(sessionId));
  useShortcut(ARCHIVE, () => setArchived(!isArchived));
  return actions;
}

/** Archiving cancels what runs: it is said, and can be taken back. */
function useArchiveWithUndo(sessionId: string): (isArchived: boolean) => void {
  const { mutate } = useArchive(sessionId);
  return useCallback(
    function change(isArchived: boolean): void {
      mutate(isArchived, {
        onSuccess: () =>
          isArchived ? toast('Session archived', { action: { label: 'Undo', onClick: () => change(false) } }) : toast('Session is back in the list'),
        onError: (error) => toast.error(isArchived ? 'The session was not archived' : 'The session is still archived', { description: explain(error) }),
      });
    },
    [mutate],
  );
}

async function copyLink(sessionId: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(`${location.origin}/s/${sessionId}`);
    toast('Link copied');
  } catch {
    toast.error('The browser did not let us copy', { description: 'Copy the address of this page instead.' });
  }
}
