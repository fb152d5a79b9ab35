import { useCallback, useSyncExternalStore } from 'react';

import { markKey, parseMarks, toggleMark } from './viewed-marks.js';
import type { ViewedMark } from './viewed-marks.js';

const STORAGE_KEY = 'bullpen.viewed';
const listeners = new Set<() => void>();
let marks: readonly string[] | null = null;

export interface Viewed {
  readonly has: (file: Omit<ViewedMark, 'sessionId'>) => boolean;
  readonly toggle: (file: Omit<ViewedMark, 'sessionId'>) => void;
}

/** Which files of the session somebody marked as viewed in this browser. */
export function useViewed(sessionId: string): Viewed {
  const all = useSyncExternalStore(subscribe, snapshot);
  const has = useCallback((file: Omit<ViewedMark, 'sessionId'>) => all.includes(markKey({ ...file, sessionId })), [all, sessionId]);
  const toggle = useCallback((file: Omit<ViewedMark, 'sessionId'>) => keep(toggleMark(snapshot(), { ...file, sessionId })), [sessionId]);
  return { has, toggle };
}

function snapshot(): readonly string[] {
  marks ??= parseMarks(read());
  return marks;
}

function read(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

function keep(next: readonly string[]): void {
  marks = next;
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(next));
  } catch {
    // They then last until the page is loaded again.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  const onStorage = ({ key }: StorageEvent): void => {
    if (key !== STORAGE_KEY) return;
    marks = null;
    listener();
  };
  listeners.add(listener);
  window.addEventListener('storage', onStorage);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('storage', onStorage);
  };
}
