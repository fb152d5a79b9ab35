import { useQuery } from '@tanstack/react-query';
import { Command } from 'cmdk';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode } from 'react';

import type { SessionStatus } from '@bullpen/contracts';

import { StatusMark } from '../../components/status.js';
import { callApi } from '../../lib/api.js';
import type { PageAction } from '../../lib/page-actions.js';
import { useSettled } from '../../lib/use-settled.js';

const SEARCH_DELAY_MS = 150;
/** By then the focus is back where it was: an action may place it elsewhere. */
const FOCUS_BACK_MS = 20;
const MAX_SESSIONS = 5;
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
  const sessions = useFoundSessions(text.trim());
  const { list, value, setValue } = useSelected(sessions);
  const close = (then: () => void): void => {
    onOpenChange(false);
    setTimeout(then, FOCUS_BACK_MS);
  };
  const found = <SessionGroup sessions={sessions} onSelect={(id) => close(() => onOpenSession(id))} />;
  return (
    <Command.Dialog
      open={isOpen}
      onOpenChange={onOpenChange}
      value={value}
      onValueChange={setValue}
      label="Find a session or an action"
      overlayClassName="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]"
      contentClassName="fixed top-[12dvh] left-1/2 z-40 flex max-h-[70dvh] w-[min(560px,calc(100vw-32px))] -translate-x-1/2 flex-col overflow-hidden rounded-md border border-border bg-surface shadow-overlay"
    >
      <Command.Input
        value={text}
        onValueChange={setText}
        placeholder="Find a session or an action…"
        className="h-12 w-full shrink-0 border-b border-border bg-transparent px-4 text-prose outline-none placeholder:text-faint pointer-coarse:text-lead"
      />
      <Command.List ref={list} className="min-h-0 flex-1 overflow-y-auto p-1">
        <Command.Empty className="px-4 py-6 text-center text-muted">Nothing is called that.</Command.Empty>
        {text === '' ? found : null}
        <ActionGroup actions={actions} onSelect={close} />
        {text === '' ? null : found}
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

const NONE: readonly FoundSession[] = [];

/** The platform's own full-text search. What was found for another text is not shown: Enter would open it. */
function useFoundSessions(text: string): readonly FoundSession[] {
  const settled = useSettled(text, SEARCH_DELAY_MS);
  const { data } = useQuery({
    queryKey: ['palette', settled],
    queryFn: ({ signal }) => {
      const query = new URLSearchParams({ limit: String(MAX_SESSIONS), ...(settled === '' ? {} : { q: settled }) });
      return callApi<{ readonly sessions: readonly FoundSession[] }>('GET', `/sessions?${query}`, { signal });
    },
  });
  return settled === text ? (data?.sessions ?? NONE) : NONE;
}

/** Sessions come and go beside what cmdk sifts itself; when the selected one went, the first is selected, so that Enter always does something. */
function useSelected(sessions: readonly FoundSession[]) {
  const list = useRef<HTMLDivElement>(null);
  const [value, setValue] = useState('');
  useEffect(() => {
    const values = [...(list.current?.querySelectorAll('[cmdk-item]') ?? [])].map((item) => item.getAttribute('data-value') ?? '');
    setValue((selected) => (values.includes(selected) ? selected : (values[0] ?? '')));
  }, [sessions]);
  return { list, value, setValue };
}

function SessionGroup({ sessions, onSelect }: { readonly sessions: readonly FoundSession[]; readonly onSelect: (sessionId: string) => void }) {
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

function ActionGroup({ actions, onSelect }: { readonly actions: readonly PageAction[]; readonly onSelect: (then: () => void) => void }) {
  return (
    <Command.Group heading="Actions" className={GROUP}>
      {actions.map(({ label, icon, keys, onSelect: run }) => (
        <PaletteItem key={label} value={label} onSelect={() => onSelect(run)}>
          {icon}
          <span className="flex-1">{label}</span>
          {keys === undefined ? null : <kbd className="text-label text-faint">{keys}</kbd>}
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
