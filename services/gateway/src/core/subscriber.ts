import type { SessionEvent } from '@bullpen/contracts';
import { MAX_SOCKET_BUFFER_BYTES } from '@bullpen/sync-protocol';

import { batchesOf } from './batches.js';
import { eventsAfter } from './session-feed.js';

/** Live events held for a subscriber that still reads the log. More, or more bytes than this, and it lags. */
export const MAX_HELD_EVENTS = 20_000;
export const MAX_HELD_BYTES = 2 * MAX_SOCKET_BUFFER_BYTES;

/**
 * One socket's way through one session: it reads the log first while live events are held, then takes them as they come.
 * `sent` is the last event it was given, so that what the log and the tail both have goes out once.
 */
export type Subscriber =
  | { readonly phase: 'reading'; readonly sent: string; readonly held: readonly SessionEvent[]; readonly heldBytes: number }
  | { readonly phase: 'live'; readonly sent: string }
  | { readonly phase: 'lagging' };

export interface SubscriberStep {
  readonly subscriber: Subscriber;
  readonly send: readonly SessionEvent[];
}

export function newSubscriber(after: string): Subscriber {
  return { phase: 'reading', sent: after, held: [], heldBytes: 0 };
}

/** Events of the feed. */
export function takeLive(subscriber: Subscriber, events: readonly SessionEvent[]): SubscriberStep {
  switch (subscriber.phase) {
    case 'lagging':
      return { subscriber, send: [] };
    case 'reading': {
      const held = [...subscriber.held, ...events];
      const heldBytes = batchesOf(events).reduce((sum, { size }) => sum + size, subscriber.heldBytes);
      const isTooMuch = held.length > MAX_HELD_EVENTS || heldBytes > MAX_HELD_BYTES;
      return { subscriber: isTooMuch ? { phase: 'lagging' } : { ...subscriber, held, heldBytes }, send: [] };
    }
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
