import { ACTOR_KINDS } from '@bullpen/contracts';
import type { Plain, sessionApi } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import type { Caller } from '../../core/caller.js';

const MAX_KEY_CHARS = 200;

/** @throws Rejection `request.invalid` */
export function callerOf(context: Plain<sessionApi.RequestContext> | null | undefined): Caller {
  const actor = context?.actor;
  const kind = ACTOR_KINDS.find((known) => known === actor?.kind);
  if (!context?.organisationId || !actor?.id || !kind) {
    throw new Rejection('request.invalid', 'The call does not say who asks: context.organisationId, context.actor.kind and .id are needed.');
  }
  if (context.idempotencyKey.length > MAX_KEY_CHARS) {
    throw new Rejection('request.invalid', `The Idempotency-Key is too long; at most ${MAX_KEY_CHARS} characters are allowed.`);
  }
  const { organisationId, idempotencyKey, traceparent } = context;
  return { organisationId, actor: { kind, id: actor.id, name: actor.name }, email: actor.email, idempotencyKey, traceparent };
}
