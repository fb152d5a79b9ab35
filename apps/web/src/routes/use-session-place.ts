import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';

import type { SessionSearch, SessionTab } from './session-search.js';

export interface SessionPlace {
  readonly tab: SessionTab;
  /** Of the changes: one turn, one file. */
  readonly scope: Pick<SessionSearch, 'turn' | 'file'>;
  readonly openTab: (tab: SessionTab) => void;
  readonly openChanges: (scope: SessionPlace['scope']) => void;
  /** From one file to the next is no step that somebody goes back by. */
  readonly changeScope: (scope: SessionPlace['scope']) => void;
}

/** What of the session is shown: in the address, and each with its own place in the history. */
export function useSessionPlace(sessionId: string): SessionPlace {
  const { tab = 'chat', turn, file } = useSearch({ from: '/s/$sessionId' });
  const navigate = useNavigate();
  const show = useCallback(
    (search: SessionSearch, replace = false) => void navigate({ to: '/s/$sessionId', params: { sessionId }, search, replace }),
    [navigate, sessionId],
  );
  const openTab = useCallback((next: SessionTab) => show(next === 'chat' ? {} : { tab: next }), [show]);
  const openChanges = useCallback((next: SessionPlace['scope']) => show({ tab: 'changes', ...next }), [show]);
  const changeScope = useCallback((next: SessionPlace['scope']) => show({ tab: 'changes', ...next }, true), [show]);
  const scope = useMemo(() => ({ ...(turn === undefined ? {} : { turn }), ...(file === undefined ? {} : { file }) }), [turn, file]);
  return useMemo(() => ({ tab, scope, openTab, openChanges, changeScope }), [tab, scope, openTab, openChanges, changeScope]);
}
