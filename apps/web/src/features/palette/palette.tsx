import { useQuery } from '@tanstack/react-query';
import { Command } from 'cmdk';
import { useState } from 'react';
import type { ReactNode } from 'react';

import type { SessionStatus } from '@bullpen/contracts';

import { StatusMark } from '../../components/status.js';
import { callApi } from '../../lib/api.js';
import type { PageAction } from '../../lib/page-actions.js';
import { useSettled } from '../../lib/use-settled.js';

const SEARCH_DELAY_MS = 150;
const MAX_SESSIONS = 8;
const GROUP = '[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1 [&_[cmdk-group-heading]]:text-label [&_[cmdk-group-heading]]:text-muted';

export interface PaletteProps {
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly actions: readonly PageAction[];
  readonly onOpenSession: (sessionId: string) => void;
}

/** One field over sessions, which the platform searches, and the actions of this page. */
export function Palette({ isOpen, onOpenChange, actions, onOpenSession }: PaletteProps) {
  const [text, setText] = useState('');
  const close = (then: () => void): void => {
    onOpenChange(false);
    setText('');
    then();
  };
  return (
    <Command.Dialog
      open={isOpen}
      onOpenChange={onOpenChange}
      label="Find a session or an action"
      overlayClassName="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]"
      contentClassName="fixed top-[12dvh] left-1/2 z-40 flex max-h-[70dvh] w-[min(560px,calc(100vw-32px))] -translate-x-1/2 flex-col overflow-hidden rounded-md border border-border bg-surface shadow-overlay"
    >
      <Command.Input
        value={text}
        onValueChange={setText}
        placeholder="Find a session or an action…"
        className="h-12 border-b border-border bg-transparent px-4 text-prose outline-none placeholder:text-faint pointer-coarse:text-lead"
      />
      <Command.List className="min-h-0 flex-1 overflow-y-auto p-1">
        <Command.Empty className="px-4 py-6 text-center text-muted">Nothing is called that.</Command.Empty>
        <Command.Group heading="Actions" className={GROUP}>
          {actions.map(({ label, icon, keys, onSelect }) => (
            <PaletteItem key={label} value={label} onSelect={() => close(onSelect)}>
              {icon}
              <span className="flex-1">{label}</span>
              {keys === undefined ? null : <kbd className="text-label text-faint">{keys}</kbd>}
            </PaletteItem>
          ))}
        </Command.Group>
        <FoundSessions text={text} onSelect={(id) => close(() => onOpenSession(id))} />
      </Command.List>
    </Command.Dialog>
  );
}

interface FoundSession {
  readonly id: string;
  readonly title: string;
  readonly status: SessionStatus;
  readonly repository: { readonly name: string };
}

/** The platform's own full-text search; what it found is not sifted again here. */
function FoundSessions({ text, onSelect }: { readonly text: string; readonly onSelect: (sessionId: string) => void }) {
  const settled = useSettled(text.trim(), SEARCH_DELAY_MS);
  const { data } = useQuery({
    queryKey: ['palette', settled],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ limit: String(MAX_SESSIONS), ...(settled === '' ? {} : { q: settled }) });
      return callApi<{ readonly sessions: readonly FoundSession[] }>('GET', `/sessions?${query}`, { signal });
    },
    placeholderData: (before) => before,
  });
  const sessions = data?.sessions ?? [];
  if (sessions.length === 0) return null;
  return (
    <Command.Group heading="Sessions" forceMount className={GROUP}>
      {sessions.map(({ id, title, status, repository }) => (
        <PaletteItem key={id} value={`${title} ${id}`} forceMount onSelect={() => onSelect(id)}>
          <StatusMark status={status} hasWord={false} />
          <span className="min-w-0 flex-1 truncate">{title}</span>
          <span className="shrink-0 text-label text-muted">{repository.name}</span>
        </PaletteItem>
      ))}
    </Command.Group>
  );
}

interface PaletteItemProps {
  readonly value: string;
  readonly forceMount?: boolean;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}

function PaletteItem({ value, forceMount = false, onSelect, children }: PaletteItemProps) {
  return (
    <Command.Item
      value={value}
      forceMount={forceMount}
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2 rounded-sm px-2 data-[selected=true]:bg-raised pointer-coarse:h-11"
    >
      {children}
    </Command.Item>
  );
}
