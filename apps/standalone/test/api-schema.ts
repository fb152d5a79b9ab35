/** As much of OpenAPI 3.0's schemas as docs/api uses; a keyword that is not here is a mistake, so that none is passed over. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: boolean;
  readonly allOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
}

export type Schemas = Readonly<Record<string, Schema>>;

const KNOWN = new Set(['$ref', 'type', 'format', 'nullable', 'enum', 'properties', 'required', 'items', 'additionalProperties', 'allOf', 'oneOf', 'not']);
const SILENT = new Set(['description', 'discriminator', 'example', 'maxLength', 'minimum', 'maximum', 'default']);

/** What in `value` is not as the schema says, each with its place. A property that is not described is a mismatch too. */
export function mismatches(schemas: Schemas, schema: Schema, value: unknown, at = '$'): string[] {
  const whole = merged(schemas, schema);
  const unknown = Object.keys(whole).filter((keyword) => !KNOWN.has(keyword) && !SILENT.has(keyword));
  if (unknown.length > 0) return [`${at}: the check does not know ${unknown.join(', ')}`];
  if (value === null) return whole.nullable ? [] : [`${at} is null`];
  if (whole.oneOf !== undefined) return choice(schemas, whole.oneOf, value, at);
  if (whole.enum !== undefined && !whole.enum.includes(value)) return [`${at} is ${JSON.stringify(value)}, not one of ${whole.enum.join(', ')}`];
  if (whole.not !== undefined && mismatches(schemas, whole.not, value, at).length === 0) return [`${at} is ${JSON.stringify(value)}, which it must not be`];
  return ofType(schemas, whole, value, at);
}

function ofType(schemas: Schemas, schema: Schema, value: unknown, at: string): string[] {
  switch (schema.type) {
    case undefined:
      return schema.enum === undefined ? [`${at}: the schema says nothing of it`] : [];
    case 'object':
      return typeof value === 'object' && !Array.isArray(value) ? ofObject(schemas, schema, value as Record<string, unknown>, at) : [`${at} is no object`];
    case 'array':
      if (!Array.isArray(value)) return [`${at} is no list`];
      return value.flatMap((item, index) => mismatches(schemas, schema.items ?? {}, item, `${at}[${index}]`));
    case 'integer':
      return Number.isInteger(value) ? [] : [`${at} is ${JSON.stringify(value)}, no integer`];
    case 'string':
      if (schema.format === 'date-time' && Number.isNaN(Date.parse(String(value)))) return [`${at} is ${JSON.stringify(value)}, no time`];
      return typeof value === 'string' ? [] : [`${at} is ${JSON.stringify(value)}, no string`];
    default:
      return typeof value === schema.type ? [] : [`${at} is ${JSON.stringify(value)}, no ${schema.type}`];
  }
}

function ofObject(schemas: Schemas, { properties = {}, required = [], additionalProperties }: Schema, value: Record<string, unknown>, at: string): string[] {
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name} is missing`);
  const inside = Object.entries(value).flatMap(([name, part]) => {
    const schema = properties[name];
    if (schema !== undefined) return mismatches(schemas, schema, part, `${at}.${name}`);
    return additionalProperties ? [] : [`${at}.${name} is not described`];
  });
  return [...missing, ...inside];
}

/** Exactly one; of none the nearest is told. */
function choice(schemas: Schemas, choices: readonly Schema[], value: unknown, at: string): string[] {
  const results = choices.map((each) => mismatches(schemas, each, value, at));
  const fitting = results.filter((found) => found.length === 0).length;
  if (fitting === 1) return [];
  return fitting > 1 ? [`${at} is ${fitting} things at once`] : (results.toSorted((a, b) => a.length - b.length)[0] ?? []);
}

/** With references followed and `allOf` as one schema. */
function merged(schemas: Schemas, schema: Schema): Schema {
  if (schema.$ref !== undefined) {
    const found = schemas[schema.$ref.replace('#/components/schemas/', '')];
    if (found === undefined) throw new Error(`${schema.$ref} is nowhere`);
    return merged(schemas, found);
  }
  const { allOf, ...own } = schema;
  if (allOf === undefined) return own;
  return [...allOf.map((each) => merged(schemas, each)), own].reduce((all, each) => ({
    ...all,
    ...each,
    properties: { ...all.properties, ...each.properties },
    required: [...(all.required ?? []), ...(each.required ?? [])],
  }));
}
