import { useCallback, useState, useSyncExternalStore } from 'react';

/** Below this there is room for one pane; the same as Tailwind's `md`. */
const WIDE = matchMedia('(min-width: 768px)');

export function useIsWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      WIDE.addEventListener('change', listener);
      return () => WIDE.removeEventListener('change', listener);
    },
    () => WIDE.matches,
  );
}

export interface Pane {
  readonly isOpen: boolean;
  readonly setOpen: (isOpen: boolean) => void;
  readonly toggle: () => void;
}

/** A pane at the side: on a wide screen it stays as it was left, on a narrow one it covers the page and starts closed. */
export function usePane(name: 'list' | 'details'): Pane {
  const isWide = useIsWide();
  const [isOpenWide, setOpenWide] = useState(() => readOpen(name));
  const [isOpenNarrow, setOpenNarrow] = useState(false);
  const setOpen = useCallback(
    (isOpen: boolean) => {
      if (!isWide) return setOpenNarrow(isOpen);
      setOpenWide(isOpen);
      keepOpen(name, isOpen);
    },
    [isWide, name],
  );
  const isOpen = isWide ? isOpenWide : isOpenNarrow;
  return { isOpen, setOpen, toggle: () => setOpen(!isOpen) };
}

function readOpen(name: string): boolean {
  try {
    return localStorage.getItem(`bullpen.pane.${name}`) !== 'closed';
  } catch {
    return true;
  }
}

function keepOpen(name: string, isOpen: boolean): void {
  try {
    localStorage.setItem(`bullpen.pane.${name}`, isOpen ? 'open' : 'closed');
  } catch {
    // It is then open again after a reload.
  }
}
