import { useEffect, useMemo, useSyncExternalStore } from 'react';

import { useSessionState, useSessionView } from '../../lib/session-context.js';
import { seenKeys, unseenEntries } from './outbox-entries.js';
import type { OutboxEntry } from './outbox-entries.js';
import { outbox } from './outbox-browser.js';

/** The prompts of the session that is shown which it does not show itself yet; sends them again when the line is back. */
export function useUnseenPrompts(sessionId: string): readonly OutboxEntry[] {
  const all = useSyncExternalStore(outbox.subscribe, outbox.getSnapshot);
  const entries = useMemo(() => all.filter((entry) => entry.sessionId === sessionId), [all, sessionId]);
  // Nothing on its way: then no event of the session concerns this.
  const session = useSessionState((state) => (entries.length === 0 ? null : state));
  const isLive = useSessionView(({ link }) => link.status === 'live');
  useEffect(() => {
    if (isLive) void outbox.retry(sessionId);
  }, [isLive, sessionId]);
  useEffect(() => {
    const seen = session === null ? [] : seenKeys(entries, session);
    if (seen.length > 0) outbox.forget(seen);
  }, [entries, session]);
  return useMemo(() => (session === null ? entries : unseenEntries(entries, session)), [entries, session]);
}
