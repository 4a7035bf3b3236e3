/** The part of JSON Schema that parameters of rule kinds are written in, with the words we add to each property. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  zh?: string;
  en?: string;
  /** `ms` is a duration, `metric` the unit of the rule's metric. */
  unit?: string;
}

/** How one parameter is edited. */
export type FieldKind = 'number' | 'duration' | 'choice' | 'switch' | 'metric' | 'metrics' | 'text' | 'list' | 'json';

export interface Field {
  name: string;
  kind: FieldKind;
  zh: string;
  en: string;
  unit: string;
  choices: string[];
  integer: boolean;
  /** It may be left empty. */
  optional: boolean;
  fallback: unknown;
  /** Of a list: what each of its rows is made of. */
  items: Schema | null;
  low: Bound | null;
  high: Bound | null;
}

export interface Bound {
  value: number;
  /** The bound itself is outside. */
  open: boolean;
}

/** Parameters of a kind in the order in which it names them. */
export function fieldsOf(schema: Schema): Field[] {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const { nullable, ...one } = withoutNull(property);
    return {
      name,
      kind: kindOf(name, one),
      zh: one.zh ?? name,
      en: one.en ?? name,
      unit: one.unit ?? '',
      choices: (one.enum ?? []).map(String),
      integer: one.type === 'integer',
      optional: !schema.required?.includes(name) || property.default !== undefined || nullable,
      fallback: property.default,
      items: one.items?.properties ? one.items : null,
      low: bound(one.minimum, one.exclusiveMinimum),
      high: bound(one.maximum, one.exclusiveMaximum),
    };
  });
}

/** What a new rule of the kind starts with: its defaults, the first of each choice, one row of each list. */
export function initialParameters(schema: Schema): Record<string, unknown> {
  return Object.fromEntries(
    fieldsOf(schema).flatMap(({ name, fallback, choices, optional, items }): [string, unknown][] => {
      if (fallback !== undefined) return [[name, structuredClone(fallback)]];
      if (items && !optional) return [[name, [initialParameters(items)]]];
      return choices.length > 0 && !optional ? [[name, choices[0]]] : [];
    }),
  );
}

/** Why the value cannot be: `missing`, or beyond a bound; the server says the rest. */
export function fault(field: Field, value: unknown): 'missing' | 'integer' | 'low' | 'high' | null {
  if (value === undefined || value === null || value === '') return field.optional ? null : 'missing';
  if (field.items && Array.isArray(value)) {
    const fields = fieldsOf(field.items);
    const wrong = value.some((row) => fields.some((one) => fault(one, row[one.name]) !== null));
    return wrong || (value.length === 0 && !field.optional) ? 'missing' : null;
  }
  if (typeof value !== 'number') return null;
  if (field.integer && !Number.isInteger(value)) return 'integer';
  const { low, high } = field;
  if (low && (low.open ? value <= low.value : value < low.value)) return 'low';
  if (high && (high.open ? value >= high.value : value > high.value)) return 'high';
  return null;
}

/** A value that may be null is written as two types, or as a choice between the two. */
function withoutNull(schema: Schema): Schema & { nullable: boolean } {
  if (Array.isArray(schema.type)) {
    const [type, ...more] = schema.type.filter((one) => one !== 'null');
    if (type && more.length === 0) return { ...schema, type, nullable: schema.type.length > 1 };
  }
  const others = schema.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  return others.length === 1 ? { ...others[0], ...schema, nullable: true } : { ...schema, nullable: false };
}

function kindOf(name: string, schema: Schema): FieldKind {
  if (schema.enum) return 'choice';
  if (schema.type === 'boolean') return 'switch';
  if (schema.type === 'number' || schema.type === 'integer') return schema.unit === 'ms' ? 'duration' : 'number';
  if (schema.type === 'string') return name === 'metric' ? 'metric' : 'text';
  if (schema.type === 'array' && schema.items?.type === 'string') return 'metrics';
  if (schema.type === 'array' && schema.items?.properties) return 'list';
  return 'json';
}

/** The bounds of a double or of a safe integer bound nothing. */
function bound(closed: number | undefined, open: number | undefined): Bound | null {
  const value = open ?? closed;
  if (value === undefined || Math.abs(value) >= Number.MAX_SAFE_INTEGER) return null;
  return { value, open: open !== undefined };
}
