import { isEntityId } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import type { ApiClient } from './api-client.js';
import { listSessions } from './sessions-api.js';

const FULL_ID_CHARS = 28;
/** Candidates named when a part of an id fits more than one session. */
const MAX_NAMED = 5;

/**
 * The id of the session that a person means: a whole id, its unique beginning or end, or `last` for the newest session.
 *
 * @throws Rejection `argument.invalid`, `session.not-found`, `session.ambiguous`
 */
export async function resolveSessionId(api: ApiClient, reference: string): Promise<string> {
  if (reference.length === FULL_ID_CHARS && isEntityId(reference)) return reference;
  const next = './bullpen sessions lists the sessions there are';
  if (!/^[0-9a-z]+$/.test(reference)) throw new Rejection('argument.invalid', `${JSON.stringify(reference)} is no session id.`, { next });
  const matches: string[] = [];
  for await (const { id } of listSessions(api)) {
    if (reference === 'last' || id === reference) return id;
    if (id.startsWith(reference) || id.endsWith(reference)) matches.push(id);
  }
  if (reference !== 'last') {
    for await (const { id } of listSessions(api, { status: 'archived' })) {
      if (id.startsWith(reference) || id.endsWith(reference)) matches.push(id);
    }
  }
  const [match, another] = new Set(matches);
  if (match === undefined) {
    throw new Rejection('session.not-found', reference === 'last' ? 'There is no session yet.' : `No session id begins or ends with ${reference}.`, { next });
  }
  if (another === undefined) return match;
  const named = matches.slice(0, MAX_NAMED).join(', ');
  throw new Rejection('session.ambiguous', `${matches.length} session ids begin or end with ${reference}: ${named}.`, { next: 'type more of the id' });
}
