import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import { withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import type { LocateEvents } from '../log/event-pages.js';
import type { SessionCalls } from './rpc.providers.js';

/** In this time most sessions are read from their beginning. */
const LOCATE_TIMEOUT_MS = 1_000;

/** Asks the session service, whose index saves reading and decides nothing. */
export function createEventLocator(calls: Pick<SessionCalls, 'locateEvents'>, logger: Logger): LocateEvents {
  const patient = withoutRepeats(logger);
  return async (wanted) => {
    try {
      return (await calls.locateEvents(wanted, { timeoutMs: LOCATE_TIMEOUT_MS })).after;
    } catch (error) {
      patient.warn('events are searched from the start of their session: the index does not answer', { error });
      return BEFORE_ALL_EVENTS;
    }
  };
}
