import { ByteReader, ByteWriter } from './bytes.ts';
import type { Points } from './chunk-codec.ts';
import { readDoubles, writeDoubles } from './doubles.ts';
import { addPoint, addSummary, emptySummary, type Summary } from './summary.ts';

export const HOUR_MS = 3_600_000;

/** What is left of an hour's readings. */
export interface Hour extends Summary {
  /** ms UTC. */
  start: number;
}

const FORMAT = 1;
/** In the order in which they are written, each a column. */
const COLUMNS = ['start', 'count', 'min', 'max', 'sum'] as const;
/** An hour takes a few bits in each column at least. */
const HOURS_PER_BYTE = 64;

const writer = new ByteWriter();

/** Points ascending by time as hours, ascending. */
export function hoursOf({ length, times, values }: Points): Hour[] {
  const hours: Hour[] = [];
  for (let row = 0; row < length; row++) {
    const start = Math.floor(times[row]! / HOUR_MS) * HOUR_MS;
    if (hours.at(-1)?.start !== start) hours.push({ start, ...emptySummary() });
    addPoint(hours.at(-1)!, values[row]!);
  }
  return hours;
}

/** One run of hours out of several: each hour once, ascending. */
export function mergeHours(runs: readonly Hour[][]): Hour[] {
  const merged = new Map<number, Hour>();
  for (const hour of runs.flat()) {
    const known = merged.get(hour.start);
    if (known) addSummary(known, hour);
    else merged.set(hour.start, { ...hour });
  }
  return [...merged.values()].sort((a, b) => a.start - b.start);
}

/** Hours as bytes, 2 to 8 an hour. The sums' last digits, which are rounding of the adding, go; everything else is exact. */
export function encodeHours(hours: readonly Hour[]): Uint8Array {
  writer.byte(FORMAT);
  writer.integer(hours.length);
  for (const name of COLUMNS) {
    const column = Float64Array.from(hours, (hour) => (name === 'start' ? hour.start / HOUR_MS : hour[name]));
    writeDoubles(writer, name === 'sum' ? column.map((sum) => Number(sum.toPrecision(15))) : column, hours.length);
  }
  return writer.take();
}

/** Throws on bytes that are no hours of a format we know. */
export function decodeHours(bytes: Uint8Array): Hour[] {
  const reader = new ByteReader(bytes);
  const format = reader.byte();
  if (format !== FORMAT) throw new RangeError(`format ${format} of hours is unknown`);
  const length = reader.integer();
  if (length < 0 || length > HOURS_PER_BYTE * bytes.length) throw new RangeError('hours are damaged');
  const [starts, counts, mins, maxs, sums] = COLUMNS.map(() => {
    const column = new Float64Array(length);
    readDoubles(reader, column, length);
    return column;
  }) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  return Array.from(starts, (start, row) => ({
    start: start * HOUR_MS,
    count: counts[row]!,
    min: mins[row]!,
    max: maxs[row]!,
    sum: sums[row]!,
  }));
}
