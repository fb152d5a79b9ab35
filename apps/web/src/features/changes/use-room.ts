import { useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

/** The tree and a readable diff beside each other. */
const TREE_PX = 640;
/** The tree and two columns. */
const SPLIT_PX = 860;

export interface Room {
  readonly hasTree: boolean;
  readonly canSplit: boolean;
}

/** What has a place in the element: the panes around it, not only the window, say how wide it is. */
export function useRoom(): readonly [RefObject<HTMLElement | null>, Room] {
  const element = useRef<HTMLElement>(null);
  const [room, setRoom] = useState<Room>({ hasTree: false, canSplit: false });
  useLayoutEffect(() => {
    const observed = element.current;
    if (observed === null) return undefined;
    const measure = (): void => setRoom((last) => roomOf(observed.clientWidth, last));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(observed);
    return () => observer.disconnect();
  }, []);
  return [element, room];
}

/** The last one when nothing else has a place now. */
function roomOf(widthPx: number, last: Room): Room {
  const room = { hasTree: widthPx >= TREE_PX, canSplit: widthPx >= SPLIT_PX };
  return room.hasTree === last.hasTree && room.canSplit === last.canSplit ? last : room;
}
