import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import type { RefObject } from 'react';

/** This close to the end counts as there. */
const NEAR_END_PX = 48;

export interface FollowOptions {
  readonly scroller: RefObject<HTMLElement | null>;
  /** Another object whenever something may have changed its height. */
  readonly content: unknown;
  /** Grows only by what is new. */
  readonly itemCount: number;
  readonly scrollToEnd: () => void;
}

export interface Follow {
  /** What came since the end was left; null while it is in view, and followed. */
  readonly unseen: number | null;
  readonly toEnd: () => void;
  /** Somebody went elsewhere by key: stay there. */
  readonly stop: () => void;
}

/**
 * Keeps the end in view while it is in view, also when the box changes its size. Only a way upwards stops it, for content that grows
 * below looks like distance from the end too; reaching the end starts it again.
 */
export function useFollow({ scroller, content, itemCount, scrollToEnd }: FollowOptions): Follow {
  const latestCount = useRef(itemCount);
  const following = useRef(true);
  const [leftAt, setLeftAt] = useState<number | null>(null);
  const follow = useCallback((isFollowing: boolean) => {
    if (following.current === isFollowing) return;
    following.current = isFollowing;
    setLeftAt(isFollowing ? null : latestCount.current);
  }, []);
  useLayoutEffect(() => {
    latestCount.current = itemCount;
    if (following.current) scrollToEnd();
  }, [content, itemCount, scrollToEnd]);
  useEffect(() => watchScrolling(scroller.current, following, { follow, scrollToEnd }), [scroller, follow, scrollToEnd]);

  const toEnd = useCallback(() => {
    follow(true);
    scrollToEnd();
  }, [follow, scrollToEnd]);
  const stop = useCallback(() => follow(false), [follow]);
  return { unseen: leftAt === null ? null : Math.max(0, itemCount - leftAt), toEnd, stop };
}

interface Reactions {
  readonly follow: (isFollowing: boolean) => void;
  readonly scrollToEnd: () => void;
}

function watchScrolling(box: HTMLElement | null, following: RefObject<boolean>, { follow, scrollToEnd }: Reactions): (() => void) | undefined {
  if (box === null) return undefined;
  let lastTop = box.scrollTop;
  const onScroll = (): void => {
    const distance = box.scrollHeight - box.clientHeight - box.scrollTop;
    if (distance <= NEAR_END_PX) follow(true);
    else if (box.scrollTop < lastTop) follow(false);
    lastTop = box.scrollTop;
  };
  const resized = new ResizeObserver(() => {
    if (following.current) scrollToEnd();
  });
  box.addEventListener('scroll', onScroll, { passive: true });
  resized.observe(box);
  return () => {
    box.removeEventListener('scroll', onScroll);
    resized.disconnect();
  };
}
