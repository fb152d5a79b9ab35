import { useCallback, useSyncExternalStore } from 'react';

/** What a person opened or closed, by the key of its row; outlives the row, which comes and goes with scrolling. */
const MAX_KEPT = 5_000;
const choices = new Map<string, boolean>();
const listeners = new Set<() => void>();

export function setExpanded(keys: readonly string[], isExpanded: boolean): void {
  for (const key of keys) {
    // The latest choice stands last, so that the oldest go first.
    choices.delete(key);
    choices.set(key, isExpanded);
  }
  for (const key of choices.keys()) {
    if (choices.size <= MAX_KEPT) break;
    choices.delete(key);
  }
  for (const listener of listeners) listener();
}

export function isExpanded(key: string, otherwise = false): boolean {
  return choices.get(key) ?? otherwise;
}

/** @returns whether the row is open, and what turns that over */
export function useExpanded(key: string, otherwise = false): readonly [boolean, () => void] {
  const isOpen = useSyncExternalStore(subscribe, () => isExpanded(key, otherwise));
  const toggle = useCallback(() => setExpanded([key], !isExpanded(key, otherwise)), [key, otherwise]);
  return [isOpen, toggle];
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
