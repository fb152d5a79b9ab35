import { ScalarType } from '@bufbuild/protobuf';
import type { DescField, DescMessage } from '@bufbuild/protobuf';

import { CLOSED_SETS, EVENT_SCHEMAS } from './events.js';
import type { EventType } from './events.js';

export interface Reference {
  readonly $ref: string;
}

/** As much of JSON Schema, in the dialect of OpenAPI 3.0, as the contracts need. */
export interface JsonSchema {
  readonly type?: string;
  readonly enum?: string[];
  readonly properties?: Record<string, JsonSchema | Reference>;
  readonly required?: string[];
  readonly items?: JsonSchema | Reference;
  readonly additionalProperties?: boolean;
}

/** By field path, as CLOSED_SETS has them. */
type ClosedSets = Readonly<Record<string, readonly string[]>>;

const ANY_OBJECT: JsonSchema = { type: 'object', additionalProperties: true };

/** Schemas of the data of these events, and of the messages inside, each by its message's name: made of the descriptors that events are parsed with. */
export function eventDataSchemas(types: readonly EventType[]): Record<string, JsonSchema> {
  const messages: Record<string, JsonSchema> = {};
  for (const type of types) addMessage(messages, EVENT_SCHEMAS[type], CLOSED_SETS[type] ?? {});
  return messages;
}

export function schemaReference(name: string): Reference {
  return { $ref: `#/components/schemas/${name}` };
}

function addMessage(messages: Record<string, JsonSchema>, message: DescMessage, sets: ClosedSets): void {
  if (messages[message.name] !== undefined) return;
  const properties: Record<string, JsonSchema | Reference> = {};
  messages[message.name] = { type: 'object', properties, required: message.fields.filter(isAlwaysThere).map(({ jsonName }) => jsonName) };
  for (const field of message.fields) properties[field.jsonName] = fieldSchema(messages, field, sets);
}

/** Zeros and empty strings are in the log; a message or an optional value may be missing. */
function isAlwaysThere(field: DescField): boolean {
  return field.fieldKind === 'list' || (field.fieldKind === 'scalar' && !field.proto.proto3Optional && field.oneof === undefined);
}

function fieldSchema(messages: Record<string, JsonSchema>, field: DescField, sets: ClosedSets): JsonSchema | Reference {
  const { jsonName } = field;
  switch (field.fieldKind) {
    case 'scalar':
      return scalarSchema(field.scalar, sets[jsonName]);
    case 'message':
      return messageSchema(messages, field.message, below(sets, `${jsonName}.`));
    case 'list':
      if (field.listKind === 'message') return { type: 'array', items: messageSchema(messages, field.message, below(sets, `${jsonName}[].`)) };
      return { type: 'array', items: field.listKind === 'scalar' ? scalarSchema(field.scalar, sets[`${jsonName}[]`]) : { type: 'string' } };
    case 'enum':
      return { type: 'string' };
    case 'map':
      return ANY_OBJECT;
  }
}

function messageSchema(messages: Record<string, JsonSchema>, message: DescMessage, sets: ClosedSets): JsonSchema | Reference {
  if (message.typeName === 'google.protobuf.Struct') return ANY_OBJECT;
  addMessage(messages, message, sets);
  return schemaReference(message.name);
}

function scalarSchema(scalar: ScalarType, allowed: readonly string[] | undefined): JsonSchema {
  switch (scalar) {
    case ScalarType.BOOL:
      return { type: 'boolean' };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: 'number' };
    case ScalarType.INT32:
    case ScalarType.UINT32:
    case ScalarType.SINT32:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return { type: 'integer' };
    case ScalarType.STRING:
    case ScalarType.BYTES:
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return { type: 'string', ...(allowed === undefined ? {} : { enum: [...allowed] }) };
  }
}

function below(sets: ClosedSets, prefix: string): ClosedSets {
  return Object.fromEntries(Object.entries(sets).flatMap(([path, values]) => (path.startsWith(prefix) ? [[path.slice(prefix.length), values]] : [])));
}
