import { useCallback, useMemo, useState, useSyncExternalStore } from 'react';

/** Below its width there is no room for the pane beside the page; the same as Tailwind's `md` and `lg`. */
const ROOM = { list: matchMedia('(min-width: 768px)'), details: matchMedia('(min-width: 1024px)') } as const;
export type PaneName = keyof typeof ROOM;

export interface Pane {
  readonly isOpen: boolean;
  /** Over the page, for want of room beside it. */
  readonly isSheet: boolean;
  readonly setOpen: (isOpen: boolean) => void;
  readonly toggle: () => void;
}

/** A pane at the side: beside the page it stays as it was left, over the page it starts closed. */
export function usePane(name: PaneName): Pane {
  const isSheet = !useHasRoom(name);
  const [isOpenBeside, setOpenBeside] = useState(() => readKept(name) !== 'closed');
  const [isOpenOver, setOpenOver] = useState(false);
  const setOpen = useCallback(
    (isOpen: boolean) => {
      if (isSheet) return setOpenOver(isOpen);
      setOpenBeside(isOpen);
      keep(name, isOpen ? 'open' : 'closed');
    },
    [isSheet, name],
  );
  const isOpen = isSheet ? isOpenOver : isOpenBeside;
  return useMemo(() => ({ isOpen, isSheet, setOpen, toggle: () => setOpen(!isOpen) }), [isOpen, isSheet, setOpen]);
}

export const LIST_WIDTH = { least: 220, usual: 300, most: 480 } as const;

/** How wide the list is, in pixels, as it was left. */
export function useListWidth(): readonly [width: number, setWidth: (width: number) => void] {
  const [width, setWidth] = useState(() => withinBounds(Number(readKept('list-width') ?? LIST_WIDTH.usual)));
  const change = useCallback((wanted: number) => {
    const next = withinBounds(wanted);
    setWidth(next);
    keep('list-width', String(next));
  }, []);
  return [width, change];
}

function withinBounds(width: number): number {
  return Number.isFinite(width) ? Math.round(Math.min(LIST_WIDTH.most, Math.max(LIST_WIDTH.least, width))) : LIST_WIDTH.usual;
}

function useHasRoom(name: PaneName): boolean {
  const room = ROOM[name];
  const subscribe = useCallback(
    (listener: () => void) => {
      room.addEventListener('change', listener);
      return () => room.removeEventListener('change', listener);
    },
    [room],
  );
  return useSyncExternalStore(subscribe, () => room.matches);
}

function readKept(name: string): string | null {
  try {
    return localStorage.getItem(`bullpen.pane.${name}`);
  } catch {
    return null;
  }
}

function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`bullpen.pane.${name}`, value);
  } catch {
    // It is then as usual after a reload.
  }
}
