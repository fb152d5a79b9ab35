import { useNavigate, useSearch } from '@tanstack/react-router';
import { FileDiff, MessagesSquare, PanelRight } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { useCallback, useMemo } from 'react';
import type { ReactNode } from 'react';

import { Dialog } from '../components/dialog.js';
import { SessionComposer } from '../features/composer/session-composer.js';
import { ConnectionBanner } from '../features/connection/connection-banner.js';
import { SessionHeader } from '../features/session-header/session-header.js';
import { SessionNotices } from '../features/session-header/session-notices.js';
import { SandboxStages } from '../features/timeline/sandbox-stages.js';
import { Timeline } from '../features/timeline/timeline.js';
import { useDocumentTitle } from '../lib/document-title.js';
import { usePageActions } from '../lib/page-actions.js';
import type { PageAction } from '../lib/page-actions.js';
import { usePane } from '../lib/pane.js';
import type { Pane } from '../lib/pane.js';
import { useSessionState } from '../lib/session-context.js';
import { describeShortcut } from '../lib/shortcuts.js';
import type { Shortcut } from '../lib/shortcuts.js';
import { useShortcut } from '../lib/use-shortcut.js';
import { ListButton } from './list-pane.js';
import type { SessionTab } from './session-search.js';
import { SessionTabs } from './session-tabs.js';

const DETAILS: Shortcut = { key: '\\', mod: true, scope: 'Session', label: 'Show or hide the details' };
const CHAT: Shortcut = { key: 'c', after: 'g', scope: 'Session', label: 'Go to the chat' };
const CHANGES: Shortcut = { key: 'd', after: 'g', scope: 'Session', label: 'Go to the changes' };

interface SessionPageProps {
  readonly sessionId: string;
  readonly onRestart: () => void;
  readonly onDeleted: () => void;
}

/** A session that is loaded: header, chat or changes, and the details at the side. */
export function SessionPage({ sessionId, onRestart, onDeleted }: SessionPageProps) {
  useDocumentTitle(useSessionState((state) => state.title));
  const details = usePane('details');
  const [tab, openTab] = useTab(sessionId);
  usePageKeys(details, openTab);
  const openChangesOf = useOpenChangesOf(sessionId);
  return (
    <Tabs.Root value={tab} onValueChange={(next) => openTab(next as SessionTab)} className="flex min-h-0 flex-1 flex-col">
      <SessionHeader
        sessionId={sessionId}
        start={<ListButton />}
        tabs={<SessionTabs />}
        details={{ isOpen: details.isOpen, shortcut: DETAILS, onToggle: details.toggle }}
        onDeleted={onDeleted}
      />
      <ConnectionBanner onRestart={onRestart} />
      <SessionNotices />
      <div className="flex min-h-0 flex-1">
        <div className="relative min-w-0 flex-1">
          <ChatPanel isShown={tab === 'chat'}>
            <SandboxStages sessionId={sessionId} />
            <Timeline sessionId={sessionId} isShown={tab === 'chat'} onViewChanges={openChangesOf} />
            <SessionComposer sessionId={sessionId} />
          </ChatPanel>
          <Tabs.Content value="changes" tabIndex={-1} className="absolute inset-0 flex flex-col outline-none data-[state=inactive]:hidden">
            {null}
          </Tabs.Content>
        </div>
        <DetailsPane pane={details}>{null}</DetailsPane>
      </div>
    </Tabs.Root>
  );
}

/** In the address; another tab takes its own place in the history. */
function useTab(sessionId: string): readonly [tab: SessionTab, open: (tab: SessionTab) => void] {
  const { tab = 'chat' } = useSearch({ from: '/s/$sessionId' });
  const navigate = useNavigate();
  const open = useCallback(
    (next: SessionTab) => void navigate({ to: '/s/$sessionId', params: { sessionId }, search: next === 'chat' ? {} : { tab: next } }),
    [navigate, sessionId],
  );
  return [tab, open];
}

function useOpenChangesOf(sessionId: string): (turnId: string) => void {
  const navigate = useNavigate();
  return useCallback((turn) => void navigate({ to: '/s/$sessionId', params: { sessionId }, search: { tab: 'changes', turn } }), [navigate, sessionId]);
}

function usePageKeys(details: Pane, openTab: (tab: SessionTab) => void): void {
  useShortcut(DETAILS, details.toggle);
  useShortcut(CHAT, () => openTab('chat'));
  useShortcut(CHANGES, () => openTab('changes'));
  usePageActions(
    useMemo<readonly PageAction[]>(
      () => [
        { label: CHAT.label, icon: <MessagesSquare size={14} aria-hidden />, keys: describeShortcut(CHAT), onSelect: () => openTab('chat') },
        { label: CHANGES.label, icon: <FileDiff size={14} aria-hidden />, keys: describeShortcut(CHANGES), onSelect: () => openTab('changes') },
        { label: DETAILS.label, icon: <PanelRight size={14} aria-hidden />, keys: describeShortcut(DETAILS), onSelect: details.toggle },
      ],
      [details, openTab],
    ),
  );
}

/** Stays as it is behind the changes: who comes back reads on where they were. */
function ChatPanel({ isShown, children }: { readonly isShown: boolean; readonly children: ReactNode }) {
  return (
    <Tabs.Content
      value="chat"
      forceMount
      tabIndex={-1}
      inert={!isShown}
      className="absolute inset-0 flex flex-col outline-none data-[state=inactive]:invisible"
    >
      {children}
    </Tabs.Content>
  );
}

/** Beside the page where there is room, else a sheet over it. */
function DetailsPane({ pane: { isOpen, isSheet, setOpen }, children }: { readonly pane: Pane; readonly children: ReactNode }) {
  if (isSheet) {
    return (
      <Dialog isOpen={isOpen} onOpenChange={setOpen} title="Details" shape="sheet-end">
        {children}
      </Dialog>
    );
  }
  if (!isOpen) return null;
  return (
    <aside aria-label="Details" className="flex w-[300px] shrink-0 flex-col overflow-y-auto border-l border-border bg-surface">
      {children}
    </aside>
  );
}
