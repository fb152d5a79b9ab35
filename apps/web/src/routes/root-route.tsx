import { Outlet, useNavigate } from '@tanstack/react-router';
import { Keyboard, LogOut, Monitor, Moon, Plus, Sun } from 'lucide-react';
import { Suspense, lazy, useEffect, useState, useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { Toaster } from 'sonner';

import { Dialog } from '../components/dialog.js';
import { TooltipProvider } from '../components/tooltip.js';
import { HelpDialog } from '../features/palette/help-dialog.js';
import { onSignedOut, signOut } from '../lib/api.js';
import { readKey } from '../lib/key.js';
import { useAllPageActions } from '../lib/page-actions.js';
import type { PageAction } from '../lib/page-actions.js';
import { useIsWide, usePane } from '../lib/pane.js';
import { describeShortcut } from '../lib/shortcuts.js';
import type { Shortcut } from '../lib/shortcuts.js';
import { onCodeInAddress, takeCodeFromAddress } from '../lib/sign-in.js';
import { setTheme, shownTheme, subscribeTheme } from '../lib/theme.js';
import { useShortcut } from '../lib/use-shortcut.js';
import { LIST_SHORTCUT, ListPaneContext } from './list-pane.js';
import { SignInRoute } from './sign-in-route.js';

/** Its library comes when it is asked for. */
const Palette = lazy(async () => ({ default: (await import('../features/palette/palette.js')).Palette }));
const TOOLTIP_DELAY_MS = 400;
const NEW_SESSION: Shortcut = { key: 'o', mod: true, shift: true, scope: 'Everywhere', label: 'New session' };
const PALETTE: Shortcut = { key: 'k', mod: true, scope: 'Everywhere', label: 'Find a session or an action' };
const HELP: Shortcut = { key: '?', scope: 'Everywhere', label: 'Keyboard shortcuts' };

/** Without a key there is only the way in. */
export function RootRoute() {
  const [code, setCode] = useState(takeCodeFromAddress);
  const [isSignedIn, setSignedIn] = useState(() => readKey() !== null && code === null);
  useEffect(() => onSignedOut(() => setSignedIn(false)), []);
  useEffect(
    () =>
      onCodeInAddress((next) => {
        setCode(next);
        setSignedIn(false);
      }),
    [],
  );
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
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const actions = useGlobalActions(() => setHelpOpen(true));
  const navigate = useNavigate();
  useShortcut(LIST_SHORTCUT, list.toggle);
  useShortcut(NEW_SESSION, () => void navigate({ to: '/' }));
  useShortcut(PALETTE, () => setPaletteOpen(true));
  useShortcut(HELP, () => setHelpOpen(true));
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
      {isPaletteOpen ? (
        <Suspense>
          <Palette
            isOpen
            onOpenChange={setPaletteOpen}
            actions={actions}
            onOpenSession={(sessionId) => void navigate({ to: '/s/$sessionId', params: { sessionId } })}
          />
        </Suspense>
      ) : null}
      <HelpDialog isOpen={isHelpOpen} onOpenChange={setHelpOpen} />
    </ListPaneContext>
  );
}

/** What can be done on every page, behind what the page itself offers. */
function useGlobalActions(onHelp: () => void): readonly PageAction[] {
  const navigate = useNavigate();
  const ofPage = useAllPageActions();
  return [
    ...ofPage,
    { label: 'New session', icon: <Plus size={14} aria-hidden />, keys: describeShortcut(NEW_SESSION), onSelect: () => void navigate({ to: '/' }) },
    { label: 'Light theme', icon: <Sun size={14} aria-hidden />, onSelect: () => setTheme('light') },
    { label: 'Dark theme', icon: <Moon size={14} aria-hidden />, onSelect: () => setTheme('dark') },
    { label: 'Theme of the system', icon: <Monitor size={14} aria-hidden />, onSelect: () => setTheme('system') },
    { label: 'Keyboard shortcuts', icon: <Keyboard size={14} aria-hidden />, keys: describeShortcut(HELP), onSelect: onHelp },
    { label: 'Sign out of this browser', icon: <LogOut size={14} aria-hidden />, onSelect: signOut },
  ];
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
