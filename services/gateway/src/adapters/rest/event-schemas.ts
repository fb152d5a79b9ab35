import { EVENT_SCHEMAS, eventDataSchemas, schemaReference } from '@bullpen/contracts';
import type { EventType } from '@bullpen/contracts';

import { EventEnvelope } from './response.dto.js';
import { ANY_OBJECT } from './schema-parts.js';

/** Events of repositories are not in the public API. */
const NOT_OF_SESSIONS = new Set<EventType>(['RepositoryAdded', 'RepositoryRemoved']);

/** `SessionEvent`, which is one of a schema for each type of event, and the messages of their data. */
export function eventSchemas() {
  const types = (Object.keys(EVENT_SCHEMAS) as EventType[]).filter((type) => !NOT_OF_SESSIONS.has(type));
  const known = Object.fromEntries(types.map((type) => [`${type}Event`, eventOf({ type: 'string', enum: [type] }, schemaReference(type))]));
  const OtherEvent = eventOf({ type: 'string', not: { enum: types } }, ANY_OBJECT);
  const SessionEvent = {
    description: 'By `type`. OtherEvent is of a newer version: keep it as it is.',
    oneOf: [...Object.keys(known), 'OtherEvent'].map(schemaReference),
    discriminator: { propertyName: 'type', mapping: Object.fromEntries(types.map((type) => [type, schemaReference(`${type}Event`).$ref])) },
  };
  return { ...eventDataSchemas(types), ...known, OtherEvent, SessionEvent };
}

function eventOf(type: object, data: object) {
  return { allOf: [schemaReference(EventEnvelope.name), { type: 'object', properties: { type, data }, required: ['type', 'data'] }] };
}
