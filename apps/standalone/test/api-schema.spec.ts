import { describe, expect, it } from '@jest/globals';

import { mismatches } from './api-schema.js';
import type { Schema } from './api-schema.js';

const SCHEMAS = {
  Base: { type: 'object', properties: { type: { type: 'string' }, id: { type: 'integer' } }, required: ['type', 'id'] },
  Cat: { allOf: [{ $ref: '#/components/schemas/Base' }, { type: 'object', properties: { type: { type: 'string', enum: ['cat'] } } }] },
  Dog: { allOf: [{ $ref: '#/components/schemas/Base' }, { type: 'object', properties: { type: { type: 'string', enum: ['dog'] } } }] },
} satisfies Record<string, Schema>;
const ANIMAL: Schema = { oneOf: [{ $ref: '#/components/schemas/Cat' }, { $ref: '#/components/schemas/Dog' }] };

const found = (schema: Schema, value: unknown): string => mismatches(SCHEMAS, schema, value).join('; ');

describe('mismatches', () => {
  it('finds none in what is as described', () => {
    expect(found(ANIMAL, { type: 'dog', id: 1 })).toBe('');
    expect(found({ type: 'array', items: { type: 'string', format: 'date-time' } }, ['2026-11-23T07:00:00.000Z'])).toBe('');
    expect(found({ ...SCHEMAS.Base, nullable: true }, null)).toBe('');
    expect(found({ type: 'object', additionalProperties: true }, { any: 1 })).toBe('');
  });

  it('names what is missing, of another type, outside its set, or not described', () => {
    expect(found(ANIMAL, { type: 'dog' })).toBe('$.id is missing');
    expect(found(ANIMAL, { type: 'dog', id: 1.5 })).toBe('$.id is 1.5, no integer');
    expect(found(ANIMAL, { type: 'cow', id: 1 })).toMatch(/\$\.type is "cow", not one of/);
    expect(found(SCHEMAS.Base, { type: 'x', id: 1, extra: {} })).toBe('$.extra is not described');
    expect(found(SCHEMAS.Base, null)).toBe('$ is null');
    expect(found({ type: 'string', format: 'date-time' }, 'today')).toMatch(/no time/);
    expect(found({ type: 'string', not: { enum: ['x'] } }, 'x')).toMatch(/must not be/);
    expect(found({ oneOf: [{ type: 'string' }, { type: 'string' }] }, 'x')).toBe('$ is 2 things at once');
    expect(found({ type: 'array' }, [1])).toBe('$[0]: the schema says nothing of it');
    expect(found({ type: 'string', pattern: 'x' } as Schema, 'y')).toMatch(/does not know pattern/);
    expect(() => found({ $ref: '#/components/schemas/None' }, 1)).toThrow(/None is nowhere/);
  });
});
