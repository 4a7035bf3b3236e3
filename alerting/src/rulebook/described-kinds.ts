import { metricWords, type RuleKindView } from '@smart-fire/core';
import { z } from 'zod';
import type { RuleKind } from '../rules/kinds/kind.ts';

/** A parameter for people: its name, its unit and what values it takes. */
export interface Parameter {
  zh: string;
  en: string;
  /** `metric` at its beginning = the unit of the rule's own metric. */
  unit: string;
  /** Such as `≥ 0`, `0 … 100`; '' without bounds. */
  bounds: string;
}

export interface DescribedKind {
  kind: RuleKind;
  view: RuleKindView;
  /** In the order they are declared, which is the order they are written in. */
  parameters: ReadonlyMap<string, Parameter>;
}

interface PropertySchema {
  zh?: unknown;
  en?: unknown;
  unit?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** Every kind with what its schema says of its parameters. */
export function describeKinds(kinds: readonly RuleKind[]): Map<string, DescribedKind> {
  return new Map(kinds.map((kind) => [kind.type, describe(kind)]));
}

function describe(kind: RuleKind): DescribedKind {
  const schema = z.toJSONSchema(kind.params, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
  delete schema.$schema;
  const variants = [schema, ...((schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []) as Record<string, unknown>[])];
  const parameters = new Map<string, Parameter>();
  for (const { properties = {} } of variants as { properties?: Record<string, PropertySchema> }[])
    for (const [name, property] of Object.entries(properties)) {
      const { zh = name, en = name, unit = '' } = property;
      parameters.set(name, { zh: String(zh), en: String(en), unit: String(unit), bounds: boundsOf(property) });
    }
  const { type, zh, en, subject } = kind;
  return { kind, view: { type, zh, en, subject, schema, learns: kind.learned !== undefined }, parameters };
}

function boundsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: PropertySchema): string {
  const bound = (value: number | undefined) =>
    value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER ? value : undefined;
  const [least, most] = [bound(minimum), bound(maximum)];
  if (least !== undefined && most !== undefined) return `${least} … ${most}`;
  const [above, below] = [bound(exclusiveMinimum), bound(exclusiveMaximum)];
  return [
    least !== undefined ? `≥ ${least}` : above !== undefined ? `> ${above}` : '',
    most !== undefined ? `≤ ${most}` : below !== undefined ? `< ${below}` : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** The unit a parameter of this very definition is in: `metric/min` of a pressure is kPa/min. */
export function unitOf({ unit }: Parameter, definition: Record<string, unknown>): string {
  if (!/^metric\b/.test(unit)) return unit;
  const own = typeof definition.metric === 'string' ? metricWords(definition.metric).unit : '';
  return own === '' ? '' : unit.replace(/^metric\b/, own);
}
