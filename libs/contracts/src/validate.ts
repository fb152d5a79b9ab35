import { fromJson, toJson } from '@bufbuild/protobuf';
import type { JsonValue as ProtoJson } from '@bufbuild/protobuf';

import { Rejection } from '@bullpen/errors';

import { CLOSED_SETS, EVENT_SCHEMAS } from './events.js';
import type { EventData, EventType } from './events.js';

/**
 * Strict, for what enters the log: unknown fields, wrong types and values outside a closed set are refused. The result has
 * every field of its message, zeros and empty strings included.
 *
 * @throws Rejection `event.invalid` that names type and field.
 */
export function parseEventData<T extends EventType>(type: T, data: unknown): EventData[T] {
  const schema = EVENT_SCHEMAS[type];
  let json: ProtoJson;
  try {
    json = toJson(schema, fromJson(schema, data as ProtoJson), { alwaysEmitImplicit: true });
  } catch (error) {
    throw new Rejection('event.invalid', `${type} is not as its proto message says: ${String(error)}`, { type });
  }
  for (const [path, allowed] of Object.entries<readonly string[]>(CLOSED_SETS[type] ?? {})) {
    for (const value of valuesAt(json, path.split('.'))) {
      if (typeof value === 'string' && allowed.includes(value)) continue;
      throw new Rejection('event.invalid', `${type}.${path} is ${JSON.stringify(value)}; allowed: ${allowed.join(', ')}.`, { type, path });
    }
  }
  return json as unknown as EventData[T];
}

function valuesAt(json: ProtoJson | undefined, [step, ...rest]: string[]): (ProtoJson | undefined)[] {
  if (step === undefined) return [json];
  const record = typeof json === 'object' && json !== null && !Array.isArray(json) ? json : {};
  if (!step.endsWith('[]')) return valuesAt(record[step], rest);
  const items = record[step.slice(0, -2)];
  return Array.isArray(items) ? items.flatMap((item) => valuesAt(item, rest)) : [];
}
