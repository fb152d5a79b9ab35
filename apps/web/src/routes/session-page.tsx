import { FileDiff, MessagesSquare, PanelRight } from 'lucide-react';
import { Tabs } from 'radix-ui';
import { useCallback, useMemo } from 'react';

import { Dialog } from '../components/dialog.js';
import { Changes } from '../features/changes/changes.js';
import { SessionComposer } from '../features/composer/session-composer.js';
import { ConnectionBanner } from '../features/connection/connection-banner.js';
import { Details } from '../features/details/details.js';
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
import { useSessionPlace } from './use-session-place.js';
import type { SessionPlace } from './use-session-place.js';

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
  const place = useSessionPlace(sessionId);
  usePageKeys(details, place.openTab);
  return (
    <Tabs.Root value={place.tab} onValueChange={(tab) => place.openTab(tab as SessionTab)} className="flex min-h-0 flex-1 flex-col">
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
          <ChatPanel sessionId={sessionId} place={place} />
          <Tabs.Content value="changes" tabIndex={-1} className="absolute inset-0 flex flex-col outline-none data-[state=inactive]:hidden">
            <Changes sessionId={sessionId} scope={place.scope} onScopeChange={place.changeScope} />
          </Tabs.Content>
        </div>
        <DetailsPane pane={details} place={place} />
      </div>
    </Tabs.Root>
  );
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
function ChatPanel({ sessionId, place: { tab, openChanges } }: { readonly sessionId: string; readonly place: SessionPlace }) {
  const isShown = tab === 'chat';
  const viewChanges = useCallback((turn: string) => openChanges({ turn }), [openChanges]);
  return (
    <Tabs.Content
      value="chat"
      forceMount
      tabIndex={-1}
      inert={!isShown}
      className="absolute inset-0 flex flex-col outline-none data-[state=inactive]:invisible"
    >
      <SandboxStages sessionId={sessionId} />
      <Timeline sessionId={sessionId} isShown={isShown} onViewChanges={viewChanges} />
      <SessionComposer sessionId={sessionId} />
    </Tabs.Content>
  );
}

/** Beside the page where there is room, else a sheet over it. */
function DetailsPane({ pane: { isOpen, isSheet, setOpen }, place }: { readonly pane: Pane; readonly place: SessionPlace }) {
  const openFile = (file: string): void => {
    if (isSheet) setOpen(false);
    place.openChanges({ file });
  };
  if (isSheet) {
    return (
      <Dialog isOpen={isOpen} onOpenChange={setOpen} title="Details" shape="sheet-end">
        <Details onOpenFile={openFile} />
      </Dialog>
    );
  }
  if (!isOpen) return null;
  return (
    <aside aria-label="Details" className="flex w-[300px] shrink-0 flex-col overflow-y-auto border-l border-border bg-surface">
      <Details onOpenFile={openFile} />
    </aside>
  );
}
