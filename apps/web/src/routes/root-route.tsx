import { Outlet, useNavigate } from '@tanstack/react-router';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { Toaster } from 'sonner';

import { Dialog } from '../components/dialog.js';
import { TooltipProvider } from '../components/tooltip.js';
import { onSignedOut } from '../lib/api.js';
import { readKey } from '../lib/key.js';
import { useIsWide, usePane } from '../lib/pane.js';
import type { Shortcut } from '../lib/shortcuts.js';
import { takeCodeFromAddress } from '../lib/sign-in.js';
import { shownTheme, subscribeTheme } from '../lib/theme.js';
import { useShortcut } from '../lib/use-shortcut.js';
import { LIST_SHORTCUT, ListPaneContext } from './list-pane.js';
import { SignInRoute } from './sign-in-route.js';

const TOOLTIP_DELAY_MS = 400;
const NEW_SESSION: Shortcut = { key: 'o', mod: true, shift: true, scope: 'Everywhere', label: 'New session' };

/** Without a key there is only the way in. */
export function RootRoute() {
  const [code] = useState(takeCodeFromAddress);
  const [isSignedIn, setSignedIn] = useState(() => readKey() !== null && code === null);
  useEffect(() => onSignedOut(() => setSignedIn(false)), []);
  const theme = useSyncExternalStore(subscribeTheme, shownTheme);
  return (
    <TooltipProvider delayDuration={TOOLTIP_DELAY_MS}>
      {isSignedIn ? <SignedIn /> : <SignInRoute code={code} onSignedIn={() => setSignedIn(true)} />}
      <Toaster position="bottom-right" theme={theme} />
    </TooltipProvider>
  );
}

function SignedIn() {
  const list = usePane('list');
  const navigate = useNavigate();
  useShortcut(LIST_SHORTCUT, list.toggle);
  useShortcut(NEW_SESSION, () => void navigate({ to: '/' }));
  return (
    <ListPaneContext value={list}>
      <div className="flex h-dvh min-w-0">
        <ListPane isOpen={list.isOpen} onOpenChange={list.setOpen}>
          {null}
        </ListPane>
        <main className="flex min-w-0 flex-1 flex-col">
          <Outlet />
        </main>
      </div>
    </ListPaneContext>
  );
}

interface ListPaneProps {
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly children: ReactNode;
}

/** Beside the page where there is room, else a sheet over it. */
function ListPane({ isOpen, onOpenChange, children }: ListPaneProps) {
  const isWide = useIsWide();
  if (!isWide) {
    return (
      <Dialog isOpen={isOpen} onOpenChange={onOpenChange} title="Sessions" shape="sheet">
        {children}
      </Dialog>
    );
  }
  if (!isOpen) return null;
  return (
    <nav aria-label="Sessions" className="flex w-[300px] shrink-0 flex-col border-r border-border bg-surface">
      {children}
    </nav>
  );
}
