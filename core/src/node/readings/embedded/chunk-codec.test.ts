import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeChunk, encodeChunk } from './chunk-codec.ts';

const pointsOf = (rows: [number, number][]) => ({
  length: rows.length,
  times: Float64Array.from(rows, ([time]) => time),
  values: Float64Array.from(rows, ([, value]) => value),
});
/** Same bits; NaN never gets here. */
const same = (a: Float64Array, b: Float64Array) =>
  a.length === b.length && a.every((value, row) => Object.is(value, b[row]));

const decimals = fc
  .tuple(fc.integer({ min: -1e7, max: 1e7 }), fc.integer({ min: 0, max: 9 }))
  .map(([digits, scale]) => digits / 10 ** scale);
const anyDouble = fc.double({ noNaN: true });
const edges = fc.constantFrom(
  -0,
  0,
  5e-324,
  -5e-324,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  2 ** 53,
  2 ** 49,
  0.1 + 0.2,
  1e-9,
  Infinity,
);
const anyTime = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.maxSafeInteger(), anyDouble);

test('every chunk comes back bit by bit', () => {
  for (const value of [decimals, anyDouble, edges, fc.oneof(decimals, anyDouble, edges)])
    fc.assert(
      fc.property(fc.array(fc.tuple(anyTime, value), { maxLength: 60 }), (rows) => {
        const points = pointsOf(rows);
        const decoded = decodeChunk(encodeChunk(points));
        expect(decoded.length).toBe(rows.length);
        expect(same(decoded.times, points.times)).toBe(true);
        expect(same(decoded.values, points.values)).toBe(true);
      }),
      { numRuns: 200 },
    );
});

test('a regular series with one decimal takes less than 3 bytes a point', () => {
  const rows = Array.from({ length: 500 }, (_, row): [number, number] => [
    1.7e12 + row * 1000,
    Math.round(200 + 30 * Math.sin(row / 40)) / 10,
  ]);
  expect(encodeChunk(pointsOf(rows)).length).toBeLessThan(500 * 2.1);
});

test('bytes that are no chunk are refused, and cannot hang or exhaust anything', () => {
  expect(() => decodeChunk(Uint8Array.of(9, 2, 0, 0))).toThrow('format 9');
  expect(() => decodeChunk(new Uint8Array(0))).toThrow();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (garbage) => {
      try {
        expect(decodeChunk(Uint8Array.of(1, ...garbage)).length).toBeLessThanOrEqual(2 * garbage.length + 2);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
    { numRuns: 200 },
  );
});
