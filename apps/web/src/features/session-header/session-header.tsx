import { Archive, ArchiveRestore, Ellipsis, Link2, PanelLeft, PanelRight, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { toast } from 'sonner';

import { IconButton } from '../../components/icon-button.js';
import { Menu } from '../../components/menu.js';
import type { MenuAction } from '../../components/menu.js';
import { explain } from '../../components/states.js';
import { StatusMark } from '../../components/status.js';
import { useSessionState } from '../../lib/session-context.js';
import { describeShortcut } from '../../lib/shortcuts.js';
import type { Shortcut } from '../../lib/shortcuts.js';
import { DeleteDialog } from './delete-dialog.js';
import { useArchive } from './session-calls.js';
import { TitleField } from './title-field.js';

export interface SessionHeaderProps {
  readonly sessionId: string;
  /** Chat, changes. */
  readonly tabs: ReactNode;
  readonly list: PaneToggle;
  readonly details: PaneToggle;
  readonly onDeleted: () => void;
}

export interface PaneToggle {
  readonly isOpen: boolean;
  readonly shortcut: Shortcut;
  readonly onToggle: () => void;
}

/** What the session is called, how it stands, and what can be done with it as a whole. */
export function SessionHeader({ sessionId, tabs, list, details, onDeleted }: SessionHeaderProps) {
  const title = useSessionState((state) => state.title);
  const status = useSessionState((state) => state.status);
  const repository = useSessionState((state) => state.repository?.name ?? '');
  const [isDeleting, setDeleting] = useState(false);
  const actions = useActions(sessionId, () => setDeleting(true));
  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-border bg-surface px-3 py-2">
      <IconButton label={list.isOpen ? 'Hide the sessions' : 'Show the sessions'} keys={describeShortcut(list.shortcut)} onClick={list.onToggle}>
        <PanelLeft size={16} aria-hidden />
      </IconButton>
      <div className="flex min-w-0 flex-1 items-center gap-3">
        <TitleField sessionId={sessionId} title={title} />
        <StatusMark status={status} />
        <span className="hidden min-w-0 truncate text-muted lg:inline">{repository}</span>
      </div>
      {tabs}
      <Menu
        groups={actions}
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

function useActions(sessionId: string, onDelete: () => void): readonly (readonly MenuAction[])[] {
  const isArchived = useSessionState((state) => state.archived);
  const toggleArchive = useArchiveWithUndo(sessionId);
  const link: MenuAction = { label: 'Copy link', icon: <Link2 size={14} aria-hidden />, onSelect: () => void copyLink(sessionId) };
  const keep: MenuAction = isArchived
    ? { label: 'Unarchive', icon: <ArchiveRestore size={14} aria-hidden />, onSelect: () => toggleArchive(false) }
    : { label: 'Archive', icon: <Archive size={14} aria-hidden />, onSelect: () => toggleArchive(true) };
  const remove: MenuAction = { label: 'Delete…', icon: <Trash2 size={14} aria-hidden />, isDangerous: true, onSelect: onDelete };
  return [[link, keep], [remove]];
}

/** Archiving cancels what runs: it is said, and can be taken back. */
function useArchiveWithUndo(sessionId: string): (isArchived: boolean) => void {
  const archive = useArchive(sessionId);
  const change = (isArchived: boolean): void =>
    archive.mutate(isArchived, {
      onSuccess: () =>
        isArchived ? toast('Session archived', { action: { label: 'Undo', onClick: () => change(false) } }) : toast('Session is back in the list'),
      onError: (error) => toast.error(isArchived ? 'The session was not archived' : 'The session is still archived', { description: explain(error) }),
    });
  return change;
}

async function copyLink(sessionId: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(`${location.origin}/s/${sessionId}`);
    toast('Link copied');
  } catch {
    toast.error('The browser did not let us copy', { description: 'Copy the address of this page instead.' });
  }
}
