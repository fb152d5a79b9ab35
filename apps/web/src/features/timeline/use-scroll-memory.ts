import type { Virtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef } from 'react';

import type { Row } from './rows.js';

export interface ScrollMemory {
  readonly sessionId: string;
  readonly list: Virtualizer<HTMLDivElement, Element>;
  readonly rows: readonly Row[];
  readonly isFollowing: boolean;
  /** Before the list goes where it was left. */
  readonly onRestore: () => void;
}

interface Place {
  readonly key: string;
  /** How much of the row is above the edge. */
  readonly abovePx: number;
}

/** After a reload, and back from another tab of the page, the same row stands at the same height; unless it was the end. */
export function useScrollMemory({ sessionId, list, rows, isFollowing, onRestore }: ScrollMemory): void {
  const latest = useRef({ rows, isFollowing });
  useEffect(() => {
    latest.current = { rows, isFollowing };
  }, [rows, isFollowing]);

  useLayoutEffect(() => {
    const place = readPlace(sessionId);
    const index = place === null ? -1 : latest.current.rows.findIndex((row) => row.key === place.key);
    if (place === null || index === -1) return;
    onRestore();
    list.scrollToIndex(index, { align: 'start' });
    // Rows above are measured in the frames after the jump; the rest of the way is short.
    const frame = requestAnimationFrame(() => requestAnimationFrame(() => list.scrollBy(place.abovePx)));
    return () => cancelAnimationFrame(frame);
  }, [sessionId, list, onRestore]);

  useEffect(() => {
    const keep = (): void => keepPlace(sessionId, latest.current.isFollowing ? null : placeOf(list));
    window.addEventListener('pagehide', keep);
    return () => {
      window.removeEventListener('pagehide', keep);
      keep();
    };
  }, [sessionId, list]);
}

function placeOf(list: ScrollMemory['list']): Place | null {
  const offset = list.scrollOffset ?? 0;
  const item = list.getVirtualItemForOffset(offset);
  return item === undefined ? null : { key: String(item.key), abovePx: offset - item.start };
}

const storageKey = (sessionId: string): string => `bullpen.scroll.${sessionId}`;

function readPlace(sessionId: string): Place | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(storageKey(sessionId)) ?? 'null');
    return isPlace(kept) ? kept : null;
  } catch {
    return null;
  }
}

function isPlace(value: unknown): value is Place {
  return typeof value === 'object' && value !== null && 'key' in value && typeof value.key === 'string' && 'abovePx' in value && typeof value.abovePx === 'number';
}

function keepPlace(sessionId: string, place: Place | null): void {
  try {
    if (place === null) sessionStorage.removeItem(storageKey(sessionId));
    else sessionStorage.setItem(storageKey(sessionId), JSON.stringify(place));
  } catch {
    // Storage is switched off: the list then opens at its end.
  }
}
