import type { SessionEvent } from '@bullpen/contracts';
import { assert } from '@bullpen/errors';

import type { LogMessage } from './event-log.js';
import { eventId } from './ids.js';

/**
 * The message's events as every reader sees them. `prev` is the id of the session's event before this message, null when it has
 * none. Fields that this build does not know are carried on untouched.
 */
export function stampEvents(message: LogMessage, prev: string | null): SessionEvent[] {
  const { lane, sequence, events } = message;
  assert(lane.entity === 'session', `message ${sequence} is of a ${lane.entity}, not of a session`);
  return events.map((event, index) => {
    const before = index === 0 ? prev : eventId(sequence, index - 1);
    const stamp = { id: eventId(sequence, index), prev: before, sessionId: lane.id, lane: lane.name };
    return { ...stamp, ...event, ...stamp };
  });
}
