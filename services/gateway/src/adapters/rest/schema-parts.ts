import { schemaReference } from '@bullpen/contracts';
import type { Reference } from '@bullpen/contracts';

/** Pieces of the API's description that several answers share. */
export const TIME = { format: 'date-time' };
export const ANY_OBJECT = { type: 'object', additionalProperties: true } as const;

/** Beside a reference OpenAPI 3.0 allows nothing, hence the detour. */
export function one(name: string): { allOf: Reference[] } {
  return { allOf: [schemaReference(name)] };
}

export function nullable(name: string): { allOf: Reference[]; nullable: true } {
  return { ...one(name), nullable: true };
}

export function listOf(name: string): { type: 'array'; items: Reference } {
  return { type: 'array', items: schemaReference(name) };
}
