import { useEffect, useEffectEvent, useSyncExternalStore } from 'react';

import { keepsKeys, matchesShortcut } from './shortcuts.js';
import type { Shortcut } from './shortcuts.js';

/** The second key of a pair comes within this time, or the first is forgotten. */
const PAIR_MS = 1_500;

interface Handler {
  readonly shortcut: Shortcut;
  readonly run: () => unknown;
}

const handlers: Handler[] = [];
const listeners = new Set<() => void>();
let listed: readonly Shortcut[] = [];
let begun: { readonly key: string; readonly at: number } | null = null;

/**
 * While the component is shown and `isOn`, the key runs `action`. The one that came last goes first; an action that answers `false` leaves
 * the key to the one before. `shortcut` must be a constant: its identity lists it in the help.
 */
export function useShortcut(shortcut: Shortcut, action: () => unknown, isOn = true): void {
  const run = useEffectEvent(action);
  useEffect(() => {
    if (!isOn) return undefined;
    const handler: Handler = { shortcut, run: () => run() };
    change(() => handlers.unshift(handler));
    return () => change(() => handlers.splice(handlers.indexOf(handler), 1));
  }, [shortcut, isOn]);
}

/** What works now, for the help. */
export function useShortcutsInUse(): readonly Shortcut[] {
  return useSyncExternalStore(subscribe, () => listed);
}

window.addEventListener('keydown', (event) => {
  const before = begun !== null && event.timeStamp - begun.at < PAIR_MS ? begun.key : null;
  begun = null;
  if (event.defaultPrevented) return;
  for (const { shortcut, run } of [...handlers]) {
    if (!matchesShortcut(event, shortcut, before) || run() === false) continue;
    event.preventDefault();
    return;
  }
  if (handlers.some(({ shortcut }) => beginsPair(event, shortcut))) begun = { key: event.key, at: event.timeStamp };
});

function beginsPair(event: KeyboardEvent, { after }: Shortcut): boolean {
  return after === event.key && !event.metaKey && !event.ctrlKey && !event.altKey && !keepsKeys(event.target);
}

function change(edit: () => void): void {
  edit();
  listed = [...new Set(handlers.map(({ shortcut }) => shortcut))];
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
