import { useEffect, useSyncExternalStore } from 'react';

import type { SessionRow } from '@bullpen/sync-protocol';

import { withSeen } from './seen.js';
import type { Seen } from './seen.js';

const STORAGE_KEY = 'bullpen.seen';
const listeners = new Set<() => void>();
let seen = readSeen();

export function useSeen(): Seen {
  return useSyncExternalStore(subscribe, () => seen);
}

/** What is open in a tab that is looked at counts as seen. */
export function useMarkSeen(row: SessionRow | undefined): void {
  useEffect(() => {
    if (row === undefined) return undefined;
    const mark = (): void => {
      if (document.visibilityState === 'visible') keep(withSeen(seen, row.id, row.rev));
    };
    mark();
    document.addEventListener('visibilitychange', mark);
    return () => document.removeEventListener('visibilitychange', mark);
  }, [row]);
}

function keep(next: Seen): void {
  if (next === seen) return;
  seen = next;
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(next));
  } catch {
    // It then lasts until the page is loaded again.
  }
  for (const listener of listeners) listener();
}

function readSeen(): Seen {
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? 'null') as Seen | null;
    if (typeof kept?.since === 'string' && typeof kept.revs === 'object') return kept;
  } catch {
    // As in a browser that was never here.
  }
  return { since: new Date().toISOString(), revs: {} };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('storage', onStorage);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('storage', onStorage);
  };
}

/** Another tab looked at something. */
function onStorage({ key }: StorageEvent): void {
  if (key !== STORAGE_KEY) return;
  seen = readSeen();
  for (const listener of listeners) listener();
}
