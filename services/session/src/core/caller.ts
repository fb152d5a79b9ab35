import type { Actor } from '@bullpen/contracts';
import type { CommandMeta } from '@bullpen/eventsourcing';

import type { Surroundings } from './ports.js';

export interface Caller {
  readonly organisationId: string;
  readonly actor: Actor;
  readonly email: string;
  /** Empty: the call is not repeated. */
  readonly idempotencyKey: string;
  readonly traceparent: string;
}

export function metaOf({ actor, traceparent }: Caller, surroundings: Surroundings): CommandMeta {
  return { actor, commandId: surroundings.newId(), at: surroundings.now(), ...(traceparent ? { traceparent } : {}) };
}
