import { Outlet, useNavigate, useParams } from '@tanstack/react-router';
import { Keyboard, PanelLeft, Plus } from 'lucide-react';
import { Suspense, lazy, useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { Toaster } from 'sonner';

import { TooltipProvider } from '../components/tooltip.js';
import { onSignedOut } from '../lib/api.js';
import { readKey } from '../lib/key.js';
import { useAllPageActions } from '../lib/page-actions.js';
import type { PageAction } from '../lib/page-actions.js';
import { usePane } from '../lib/pane.js';
import { describeShortcut } from '../lib/shortcuts.js';
import { onCodeInAddress, takeCodeFromAddress } from '../lib/sign-in.js';
import { shownTheme, subscribeTheme } from '../lib/theme.js';
import { useShortcut } from '../lib/use-shortcut.js';
import { AppMenu, HELP, PALETTE, SIGN_OUT, THEME_ACTIONS } from './app-menu.js';
import { LIST_SHORTCUT, ListPane, ListPaneContext, NEW_SESSION, useListPane } from './list-pane.js';
import { SignInRoute } from './sign-in-route.js';

/** The list comes after the page that is asked for; overlays when they are asked for. */
const SessionList = lazy(async () => ({ default: (await import('../features/session-list/session-list.js')).SessionList }));
const Palette = lazy(async () => ({ default: (await import('../features/palette/palette.js')).Palette }));
const HelpDialog = lazy(async () => ({ default: (await import('../features/palette/help-dialog.js')).HelpDialog }));
const TOOLTIP_DELAY_MS = 400;

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
      <Toaster position="bottom-right" theme={theme} toastOptions={{ classNames: TOAST_CLASSES }} />
    </TooltipProvider>
  );
}

const TOAST_CLASSES = {
  toast: '!rounded-md !border-border !bg-surface !text-text !shadow-overlay !text-ui !font-sans',
  description: '!text-muted',
  actionButton: '!bg-transparent !text-accent !font-medium pointer-coarse:!h-11',
} as const;

type Overlay = 'palette' | 'help' | null;

function SignedIn() {
  const list = usePane('list');
  const [overlay, setOverlay] = useState<Overlay>(null);
  const openHome = useOpenHome(list.isSheet, list.setOpen);
  useShortcut(LIST_SHORTCUT, list.toggle);
  useShortcut(NEW_SESSION, openHome);
  useShortcut(PALETTE, () => setOverlay('palette'));
  useShortcut(HELP, () => setOverlay('help'));
  return (
    <ListPaneContext value={list}>
      <div className="flex h-dvh min-w-0 pr-[env(safe-area-inset-right)] pb-[env(safe-area-inset-bottom)] pl-[env(safe-area-inset-left)]">
        <ListPane onNew={openHome} menu={<AppMenu onFind={() => setOverlay('palette')} onHelp={() => setOverlay('help')} />}>
          <ListedSessions />
        </ListPane>
        <main className="flex min-w-0 flex-1 flex-col">
          <Outlet />
        </main>
      </div>
      <Suspense>
        {overlay === 'palette' ? <PageAwarePalette onOverlay={setOverlay} onNew={openHome} onToggleList={list.toggle} /> : null}
        {overlay === 'help' ? <HelpDialog isOpen onOpenChange={() => setOverlay(null)} /> : null}
      </Suspense>
    </ListPaneContext>
  );
}

/** A sheet that covers the page goes away when one is opened. */
function ListedSessions() {
  const { sessionId = null } = useParams({ strict: false });
  const { isSheet, setOpen } = useListPane();
  const navigate = useNavigate();
  const open = (id: string): void => {
    if (isSheet) setOpen(false);
    void navigate({ to: '/s/$sessionId', params: { sessionId: id } });
  };
  return (
    <Suspense>
      <SessionList currentId={sessionId} onOpen={open} />
    </Suspense>
  );
}

/** A sheet that covers the page goes away with it. */
function useOpenHome(isSheet: boolean, setListOpen: (isOpen: boolean) => void): () => void {
  const navigate = useNavigate();
  return useCallback(() => {
    if (isSheet) setListOpen(false);
    void navigate({ to: '/' });
  }, [navigate, isSheet, setListOpen]);
}

interface PageAwarePaletteProps {
  readonly onOverlay: (next: Overlay) => void;
  readonly onNew: () => void;
  readonly onToggleList: () => void;
}

/** What the page itself offers first, then what can be done everywhere. */
function PageAwarePalette({ onOverlay, onNew, onToggleList }: PageAwarePaletteProps) {
  const navigate = useNavigate();
  const ofPage = useAllPageActions();
  const everywhere: readonly PageAction[] = [
    { label: 'New session', icon: <Plus size={14} aria-hidden />, keys: describeShortcut(NEW_SESSION), onSelect: onNew },
    { label: LIST_SHORTCUT.label, icon: <PanelLeft size={14} aria-hidden />, keys: describeShortcut(LIST_SHORTCUT), onSelect: onToggleList },
    ...THEME_ACTIONS,
    { label: 'Keyboard shortcuts', icon: <Keyboard size={14} aria-hidden />, keys: describeShortcut(HELP), onSelect: () => onOverlay('help') },
    SIGN_OUT,
  ];
  return (
    <Palette
      isOpen
      onOpenChange={() => onOverlay(null)}
      actions={[...ofPage, ...everywhere]}
      onOpenSession={(sessionId) => void navigate({ to: '/s/$sessionId', params: { sessionId } })}
    />
  );
}
