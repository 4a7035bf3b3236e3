import { METRIC_NAMES } from '@smart-fire/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { z } from 'zod';
import { checkEvent, checkState, checkTelemetryItem } from './check.ts';
import { Problems } from './problems.ts';
import { eventSchema, stateSchema, telemetryItemSchema, timedItemSchema } from './schema.ts';

/** Problems as `CODE path`, sorted: what both ways must agree on. */
function bySchema(schema: z.ZodType, json: unknown): string[] {
  const parsed = schema.safeParse(json);
  if (parsed.success) return [];
  const found = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `${issue.message} ${[...issue.path, key.slice(0, 64)].join('.')}`)
      : [`${issue.message} ${issue.path.join('.')}`],
  );
  return [...new Set(found)].sort();
}

function byHand(check: (json: unknown, problems: Problems) => unknown, json: unknown): string[] {
  const problems = new Problems();
  check(json, problems);
  return problems
    .described()
    .map(({ code, path }) => `${code} ${path.replace(/^\[\d+\]\.?/, '')}`)
    .sort();
}

const number = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, Infinity, NaN, 2 ** 53, 1.5));
const junk = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string(),
  number,
  fc.array(number, { maxLength: 2 }),
  fc.constant({}),
);
const word = fc.oneof(
  fc.constantFrom(
    '',
    'fire',
    'FIRE',
    'door_open',
    '房间 1',
    'a\u0000b',
    '\ud800',
    'a\u200bb',
    'x'.repeat(64),
    'x'.repeat(65),
  ),
  fc.string({ unit: 'binary', maxLength: 70 }),
);
const key = fc.oneof(
  fc.constantFrom<string>(...METRIC_NAMES, '__proto__', 'constructor', 'toString', 'length', ''),
  fc.string({ maxLength: 8 }),
);
const values = fc.oneof(fc.array(fc.tuple(key, fc.oneof(number, junk)), { maxLength: 5 }).map(ownProperties), junk);
const maybe = <T>(good: fc.Arbitrary<T>) =>
  fc.option(fc.oneof({ arbitrary: good, weight: 3 }, { arbitrary: junk, weight: 1 }), { nil: undefined });

/** As JSON.parse makes objects: `__proto__` is a property like any other, and what is undefined is not there. */
function ownProperties(pairs: [string, unknown][]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, value] of pairs)
    if (value !== undefined)
      Object.defineProperty(made, name, { value, enumerable: true, writable: true, configurable: true });
  return made;
}

const object = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.oneof(
    { arbitrary: fc.record(fields).map((made) => ownProperties(Object.entries(made))), weight: 9 },
    { arbitrary: junk, weight: 1 },
  );

const telemetry = object({
  ts: maybe(fc.integer()),
  seq: maybe(fc.integer()),
  point: maybe(word),
  values,
  extra: junk,
});
const event = object({
  ts: maybe(fc.integer()),
  seq: maybe(fc.integer()),
  point: maybe(word),
  event: word,
  detail: maybe(fc.oneof(fc.string(), fc.constantFrom('x'.repeat(1000), 'x'.repeat(1001)))),
});

it('finds in a telemetry object what the schema finds', () => {
  fc.assert(
    fc.property(telemetry, (json) => {
      expect(byHand((one, problems) => checkTelemetryItem(one, null, problems), json)).toEqual(
        bySchema(telemetryItemSchema, json),
      );
    }),
    { numRuns: 3000 },
  );
});

it('finds in an item of an array what the schema finds, a missing ts included', () => {
  fc.assert(
    fc.property(telemetry, (json) => {
      expect(byHand((one, problems) => checkTelemetryItem(one, 3, problems), json)).toEqual(
        bySchema(timedItemSchema, json),
      );
    }),
    { numRuns: 3000 },
  );
});

it('finds in an event what the schema finds', () => {
  fc.assert(
    fc.property(event, (json) => {
      expect(byHand(checkEvent, json)).toEqual(bySchema(eventSchema, json));
    }),
    { numRuns: 3000 },
  );
});

it('finds in a state what the schema finds', () => {
  fc.assert(
    fc.property(object({ online: maybe(fc.boolean()), more: junk }), (json) => {
      expect(byHand(checkState, json)).toEqual(bySchema(stateSchema, json));
    }),
    { numRuns: 500 },
  );
});

it('keeps exactly the good values of an item, bit by bit', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.oneof(number, junk)), { maxLength: 8 }), (pairs) => {
      const json = ownProperties(pairs);
      const item = checkTelemetryItem({ values: json }, null, new Problems())!;
      const good = Object.entries(json).filter(
        ([name, value]) => METRIC_NAMES.includes(name as never) && typeof value === 'number' && Number.isFinite(value),
      );
      expect(item.metrics.map((metric) => METRIC_NAMES[metric])).toEqual(good.map(([name]) => name));
      expect(item.values.every((value, i) => Object.is(value, good[i]![1]))).toBe(true);
    }),
    { numRuns: 1000 },
  );
});
