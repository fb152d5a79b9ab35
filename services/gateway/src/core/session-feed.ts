import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { SessionEvent } from '@bullpen/contracts';
import type { LogMessage, SessionHead } from '@bullpen/event-log';
import { compareEventIds } from '@bullpen/session-model';

/** How a message becomes events: ids and `prev` are the log's business. */
export type Stamp = (message: LogMessage, prev: string | null) => readonly SessionEvent[];

/** Messages that may arrive while the head is being asked for; more mean that the feed must be opened again. */
export const MAX_WAITING_MESSAGES = 4_096;

/**
 * One session's part of the process's tail. It begins by asking the leader for the session's head: messages at or below that
 * are in every later read of the log, the ones above it follow here. Nothing depends on how far the tail itself is.
 */
export type SessionFeed =
  | { readonly phase: 'opening'; readonly waiting: readonly LogMessage[] }
  | { readonly phase: 'open'; readonly last: string; readonly sequence: number }
  | { readonly phase: 'overflowed' };

export interface FeedStep {
  readonly feed: SessionFeed;
  /** For every subscriber, in order. */
  readonly events: readonly SessionEvent[];
}

export const OPENING_FEED: SessionFeed = { phase: 'opening', waiting: [] };

/** A message from the tail. One that is already behind the feed changes nothing. */
export function takeMessage(feed: SessionFeed, message: LogMessage, stamp: Stamp): FeedStep {
  switch (feed.phase) {
    case 'overflowed':
      return { feed, events: [] };
    case 'opening':
      if (feed.waiting.length >= MAX_WAITING_MESSAGES) return { feed: { phase: 'overflowed' }, events: [] };
      return { feed: { phase: 'opening', waiting: [...feed.waiting, message] }, events: [] };
    case 'open': {
      if (message.sequence <= feed.sequence) return { feed, events: [] };
      const events = stamp(message, feed.last === BEFORE_ALL_EVENTS ? null : feed.last);
      const last = events.at(-1)?.id ?? feed.last;
      return { feed: { phase: 'open', last, sequence: message.sequence }, events };
    }
  }
}

/** The leader's answer: what waited and lies above it comes out. */
export function openFeed(feed: SessionFeed, head: SessionHead, stamp: Stamp): FeedStep {
  if (feed.phase !== 'opening') return { feed, events: [] };
  const events: SessionEvent[] = [];
  let opened: SessionFeed = { phase: 'open', last: head.id, sequence: head.sequence };
  for (const message of feed.waiting) {
    const step = takeMessage(opened, message, stamp);
    events.push(...step.events);
    opened = step.feed;
  }
  return { feed: opened, events };
}

/** Of events in order, those that a reader at `position` has not had. */
export function eventsAfter(events: readonly SessionEvent[], position: string): readonly SessionEvent[] {
  const first = events.findIndex((event) => compareEventIds(event.id, position) > 0);
  if (first === 0) return events;
  return first === -1 ? [] : events.slice(first);
}
