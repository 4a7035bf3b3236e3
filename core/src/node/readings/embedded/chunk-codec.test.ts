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
      fc.property(fc.array(fc.tuple(anyTime, value), { maxLength: 300, size: 'max' }), (rows) => {
        const points = pointsOf(rows);
        const decoded = decodeChunk(encodeChunk(points));
        expect(decoded.length).toBe(rows.length);
        expect(same(decoded.times, points.times)).toBe(true);
        expect(same(decoded.values, points.values)).toBe(true);
      }),
      { numRuns: 200 },
    );
});

/** 500 readings with one decimal, every second within `jitter` ms. */
const series = (jitter: number) =>
  Array.from({ length: 500 }, (_, row): [number, number] => [
    1.7e12 + row * 1000 + ((row * 7919) % (jitter + 1)),
    Math.round(200 + 30 * Math.sin(row / 40) + ((row * 31) % 10)) / 10,
  ]);

test('a regular series with one decimal takes less than a byte a point, one with jitter of its clock less than two', () => {
  expect(encodeChunk(pointsOf(series(0))).length).toBeLessThan(500);
  expect(encodeChunk(pointsOf(series(400))).length).toBeLessThan(500 * 2);
});

test('a gap and a spike cost what they are and widen nothing else', () => {
  const rows = series(400);
  const plain = encodeChunk(pointsOf(rows)).length;
  const disturbed = rows.map(([time, value], row): [number, number] => [
    row < 200 ? time : time + 86_400_000,
    row === 300 ? -99_999.9 : value,
  ]);
  expect(encodeChunk(pointsOf(disturbed)).length).toBeLessThan(plain + 24);
});

test('chunks of the first format are still read', () => {
  const first = decodeChunk(Buffer.from('01080080a0abfef962d00f13b8f04802b41f14d124aa24', 'hex'));
  expect([...first.times]).toEqual([1.7e12, 1.7e12 + 1000, 1.7e12 + 1990, 1.7e12 + 600_000]);
  expect([...first.values]).toEqual([20.1, 20.2, -3.25, 20]);
  const doubles = decodeChunk(
    Buffer.from('0104ff000000000000f83f0000000000000240fe08555555555555d53f080000000000000080', 'hex'),
  );
  expect([[...doubles.times], [...doubles.values]]).toEqual([
    [1.5, 2.25],
    [1 / 3, -0],
  ]);
});

test('bytes that are no chunk are refused, and cannot hang or exhaust anything', () => {
  expect(() => decodeChunk(Uint8Array.of(9, 2, 0, 0))).toThrow('format 9');
  expect(() => decodeChunk(new Uint8Array(0))).toThrow();
  for (const format of [1, 2])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (garbage) => {
        try {
          expect(decodeChunk(Uint8Array.of(format, ...garbage)).length).toBeLessThanOrEqual(64 * (garbage.length + 1));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 200 },
    );
});
