import { useEffect, useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';

/** Something that can be done on the page that is shown; the palette lists it. */
export interface PageAction {
  readonly label: string;
  readonly icon?: ReactNode;
  /** As it is shown: `⌘B`. */
  readonly keys?: string;
  readonly onSelect: () => void;
}

const given = new Map<symbol, readonly PageAction[]>();
const listeners = new Set<() => void>();
let all: readonly PageAction[] = [];

/** Offers actions while the component is shown. `actions` should keep its identity while it says the same. */
export function usePageActions(actions: readonly PageAction[]): void {
  useEffect(() => {
    const owner = Symbol('page actions');
    change(() => given.set(owner, actions));
    return () => change(() => given.delete(owner));
  }, [actions]);
}

export function useAllPageActions(): readonly PageAction[] {
  return useSyncExternalStore(subscribe, () => all);
}

function change(edit: () => void): void {
  edit();
  all = [...given.values()].flat();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
