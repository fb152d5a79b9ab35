import { createContext, use, useEffect, useState, useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';

import type { SessionState } from '@bullpen/session-model';

import { SessionStore } from './session-store.js';
import type { SessionView } from './session-view.js';

const SessionContext = createContext<SessionStore | null>(null);

/** Follows a session for as long as it is shown. Give it the id as `key`: another session is another store. */
export function SessionProvider({ sessionId, children }: { readonly sessionId: string; readonly children: ReactNode }) {
  const [store] = useState(() => new SessionStore(sessionId));
  useEffect(() => store.open(), [store]);
  return <SessionContext value={store}>{children}</SessionContext>;
}

export function useSessionStore(): SessionStore {
  const store = use(SessionContext);
  if (store === null) throw new Error('useSessionStore needs a SessionProvider above it.');
  return store;
}

/** Part of the view; renders again only when that part is another by identity. */
export function useSessionView<Part>(select: (view: SessionView) => Part): Part {
  const store = useSessionStore();
  return useSyncExternalStore(store.subscribe, () => select(store.getSnapshot()));
}

export function useSessionState<Part>(select: (state: SessionState) => Part): Part {
  return useSessionView((view) => select(view.state));
}
