import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fault, fieldsOf, initialParameters, type Schema } from './fields.ts';

const words = { zh: '词', en: 'word' };
const schema = z.toJSONSchema(
  z.object({
    metric: z.string().meta({ ...words, unit: '' }),
    direction: z.enum(['above', 'below']).meta({ ...words, unit: '' }),
    limit: z.number().meta({ ...words, unit: 'metric' }),
    forMs: z
      .number()
      .int()
      .nonnegative()
      .meta({ ...words, unit: 'ms' }),
    sensors: z
      .number()
      .int()
      .positive()
      .max(64)
      .meta({ ...words, unit: '' }),
    learn: z
      .boolean()
      .default(true)
      .meta({ ...words, unit: '' }),
    metrics: z
      .array(z.string())
      .optional()
      .meta({ ...words, unit: '' }),
    season: z
      .number()
      .nullable()
      .meta({ ...words, unit: 'h' }),
    conditions: z
      .array(z.object({ metric: z.string(), direction: z.enum(['above', 'below']), limit: z.number() }))
      .meta({ ...words, unit: '' }),
    weights: z.record(z.string(), z.number()).meta({ ...words, unit: '' }),
  }),
) as Schema;
const fields = new Map(fieldsOf(schema).map((field) => [field.name, field]));

describe('the form of a kind of rule', () => {
  it('has a field for each parameter, in order, of the sort its schema asks for', () => {
    expect([...fields.values()].map(({ name, kind }) => `${name}: ${kind}`)).toEqual([
      'metric: metric',
      'direction: choice',
      'limit: number',
      'forMs: duration',
      'sensors: number',
      'learn: switch',
      'metrics: metrics',
      'season: number',
      'conditions: list',
      'weights: json',
    ]);
    expect(fields.get('limit')).toMatchObject({ zh: '词', en: 'word', unit: 'metric', optional: false });
    expect(fields.get('season')).toMatchObject({ unit: 'h', optional: true });
  });

  it('knows bounds, and none where a number is only a number', () => {
    expect(fields.get('limit')).toMatchObject({ low: null, high: null });
    expect(fields.get('sensors')).toMatchObject({ low: { value: 0, open: true }, high: { value: 64, open: false } });
    const wrong = (name: string, value: unknown) => fault(fields.get(name)!, value);
    expect(wrong('sensors', 0)).toBe('low');
    expect(wrong('sensors', 65)).toBe('high');
    expect(wrong('sensors', 1.5)).toBe('integer');
    expect(wrong('sensors', 64)).toBeNull();
    expect(wrong('forMs', 0)).toBeNull();
    expect(wrong('forMs', undefined)).toBe('missing');
    expect(wrong('metrics', undefined)).toBeNull();
    expect(wrong('conditions', [])).toBe('missing');
    expect(wrong('conditions', [{ metric: 'co', direction: 'above' }])).toBe('missing');
    expect(wrong('conditions', [{ metric: 'co', direction: 'above', limit: 50 }])).toBeNull();
  });

  it('starts a new rule with defaults, first choices and one row of a list', () => {
    expect(initialParameters(schema)).toEqual({
      direction: 'above',
      learn: true,
      conditions: [{ direction: 'above' }],
    });
  });
});
