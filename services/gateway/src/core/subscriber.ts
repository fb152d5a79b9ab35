import type { SessionEvent } from '@bullpen/contracts';

import { eventsAfter } from './session-feed.js';

/** Live events held for a subscriber that still reads the log. More, or more bytes than a socket may hold, and it lags. */
export const MAX_HELD_EVENTS = 20_000;

/**
 * One socket's way through one session: it reads the log first while live events are held, then takes them as they come.
 * `sent` is the last event it was given, so that what the log and the tail both have goes out once.
 */
export type Subscriber =
  | { readonly phase: 'reading'; readonly sent: string; readonly held: readonly SessionEvent[] }
  | { readonly phase: 'live'; readonly sent: string }
  | { readonly phase: 'lagging' };

export interface SubscriberStep {
  readonly subscriber: Subscriber;
  readonly send: readonly SessionEvent[];
}

export function newSubscriber(after: string): Subscriber {
  return { phase: 'reading', sent: after, held: [] };
}

/** Events of the feed. */
export function takeLive(subscriber: Subscriber, events: readonly SessionEvent[]): SubscriberStep {
  switch (subscriber.phase) {
    case 'lagging':
      return { subscriber, send: [] };
    case 'reading':
      if (subscriber.held.length + events.length > MAX_HELD_EVENTS) return { subscriber: { phase: 'lagging' }, send: [] };
      return { subscriber: { ...subscriber, held: [...subscriber.held, ...events] }, send: [] };
    case 'live': {
      const send = eventsAfter(events, subscriber.sent);
      return { subscriber: { phase: 'live', sent: send.at(-1)?.id ?? subscriber.sent }, send };
    }
  }
}

/** The log was sent up to and including `sent`. */
export function noteRead(subscriber: Subscriber, sent: string): Subscriber {
  return subscriber.phase === 'reading' ? { ...subscriber, sent } : subscriber;
}

/** Everything in the log is sent: what was held and is newer follows, then live events. */
export function goLive(subscriber: Subscriber): SubscriberStep {
  if (subscriber.phase !== 'reading') return { subscriber, send: [] };
  return takeLive({ phase: 'live', sent: subscriber.sent }, subscriber.held);
}
