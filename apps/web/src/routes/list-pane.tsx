import { Plus, PanelLeft } from 'lucide-react';
import { createContext, use } from 'react';
import type { ReactNode } from 'react';

import { Link } from '@tanstack/react-router';

import { Dialog } from '../components/dialog.js';
import { IconButton } from '../components/icon-button.js';
import { Resizer } from '../components/resizer.js';
import { LIST_WIDTH, useListWidth } from '../lib/pane.js';
import type { Pane } from '../lib/pane.js';
import { describeShortcut } from '../lib/shortcuts.js';
import type { Shortcut } from '../lib/shortcuts.js';

export const LIST_SHORTCUT: Shortcut = { key: 'b', mod: true, scope: 'Everywhere', label: 'Show or hide the sessions' };
export const NEW_SESSION: Shortcut = { key: 'o', mod: true, shift: true, scope: 'Everywhere', label: 'New session' };

/** The list is the root's; pages have the button that shows it. */
export const ListPaneContext = createContext<Pane | null>(null);

export function useListPane(): Pane {
  const pane = use(ListPaneContext);
  if (pane === null) throw new Error('useListPane needs the root route above it.');
  return pane;
}

interface ListPaneProps {
  readonly onNew: () => void;
  readonly menu: ReactNode;
  readonly children: ReactNode;
}

/** Beside the page where there is room, else a sheet over it. */
export function ListPane({ onNew, menu, children }: ListPaneProps) {
  const { isOpen, isSheet, setOpen } = useListPane();
  const content = (
    <>
      <ListBar onNew={onNew} menu={menu} />
      {children}
    </>
  );
  if (isSheet) {
    return (
      <Dialog isOpen={isOpen} onOpenChange={setOpen} title="Sessions" shape="sheet-start">
        {content}
      </Dialog>
    );
  }
  return isOpen ? <ListBeside>{content}</ListBeside> : null;
}

function ListBeside({ children }: { readonly children: ReactNode }) {
  const [width, setWidth] = useListWidth();
  return (
    <nav aria-label="Sessions" style={{ width }} className="relative flex shrink-0 flex-col border-r border-border bg-surface">
      {children}
      <Resizer label="Width of the sessions" width={width} bounds={{ least: LIST_WIDTH.least, most: LIST_WIDTH.most }} onWidth={setWidth} />
    </nav>
  );
}

function ListBar({ onNew, menu }: { readonly onNew: () => void; readonly menu: ReactNode }) {
  return (
    <div className="flex min-h-12 shrink-0 items-center gap-1 pr-2 pl-4">
      <Link to="/" onClick={onNew} className="flex-1 rounded-sm text-lead font-semibold">
        Bullpen
      </Link>
      <IconButton label="New session" keys={describeShortcut(NEW_SESSION)} onClick={onNew}>
        <Plus size={16} aria-hidden />
      </IconButton>
      {menu}
    </div>
  );
}

/** In the corner of every page. */
export function ListButton() {
  const { isOpen, toggle } = useListPane();
  return (
    <IconButton label={isOpen ? 'Hide the sessions' : 'Show the sessions'} keys={describeShortcut(LIST_SHORTCUT)} onClick={toggle}>
      <PanelLeft size={16} aria-hidden />
    </IconButton>
  );
}
