import { useEffect, useSyncExternalStore } from 'react';

import { matchesShortcut } from './shortcuts.js';
import type { Shortcut } from './shortcuts.js';

const inUse = new Set<Shortcut>();
const listeners = new Set<() => void>();
let listed: readonly Shortcut[] = [];

/**
 * While the component is shown and `isOn`, the key runs `action`. The one that came last goes first; an action that answers `false` leaves
 * the key to the one before. `shortcut` must be a constant: its identity lists it in the help.
 */
export function useShortcut(shortcut: Shortcut, action: () => unknown, isOn = true): void {
  useEffect(() => {
    if (!isOn) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || !matchesShortcut(event, shortcut) || action() === false) return;
      event.preventDefault();
    };
    // Later listeners first: overlays stand above what they cover.
    handlers.unshift(onKey);
    return () => {
      const place = handlers.indexOf(onKey);
      if (place >= 0) handlers.splice(place, 1);
    };
  }, [shortcut, action, isOn]);
  useEffect(() => {
    if (!isOn) return undefined;
    change(() => inUse.add(shortcut));
    return () => change(() => inUse.delete(shortcut));
  }, [shortcut, isOn]);
}

/** What works now, for the help. */
export function useShortcutsInUse(): readonly Shortcut[] {
  return useSyncExternalStore(subscribe, () => listed);
}

const handlers: ((event: KeyboardEvent) => void)[] = [];
window.addEventListener('keydown', (event) => {
  for (const handle of [...handlers]) handle(event);
});

function change(edit: () => void): void {
  edit();
  listed = [...inUse];
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
