import { ByteReader, ByteWriter } from './bytes.ts';
import { MAX_INTEGER, readDoubles, writeDoubles } from './doubles.ts';
import { readIntegers, writeIntegers } from './packed-integers.ts';

/** Columns of a chunk; the first `length` elements count. */
export interface Points {
  length: number;
  times: Float64Array;
  values: Float64Array;
}

/** The first format had an integer of 7 bits a byte for each difference; files may hold such chunks. */
const FIRST_FORMAT = 1;
const FORMAT = 2;
/** How times are written: as whole ms, or as doubles as they are. */
const WHOLE = 0;
const RAW = 255;
/** So many points a byte can stand for at most: a block of 128 takes a head and a centre in each column. */
const POINTS_PER_BYTE = 64;

const writer = new ByteWriter();

/** Points as bytes: format, count, times, values. Bit-exact for every double. A regular series with few decimals takes 1 to 2 bytes a point. */
export function encodeChunk({ length, times, values }: Points): Uint8Array {
  writer.byte(FORMAT);
  writer.integer(length);
  const whole = times
    .subarray(0, length)
    .every((time) => Number.isInteger(time) && Math.abs(time) < MAX_INTEGER && !Object.is(time, -0));
  writer.byte(whole ? WHOLE : RAW);
  if (whole) writeIntegers(writer, times, length);
  else for (let row = 0; row < length; row++) writer.double(times[row]!);
  writeDoubles(writer, values, length);
  return writer.take();
}

/** The arrays have room for `capacity` points at least. Throws on bytes that are no chunk of a format we know. */
export function decodeChunk(bytes: Uint8Array, capacity = 0): Points {
  const reader = new ByteReader(bytes);
  const format = reader.byte();
  if (format !== FORMAT && format !== FIRST_FORMAT) throw new RangeError(`chunk format ${format} is unknown`);
  const length = reader.integer();
  if (length < 0 || length > POINTS_PER_BYTE * bytes.length) throw new RangeError('chunk is damaged');
  const room = Math.max(length, capacity);
  const points = { length, times: new Float64Array(room), values: new Float64Array(room) };
  if (reader.byte() !== WHOLE) for (let row = 0; row < length; row++) points.times[row] = reader.double();
  else if (format === FORMAT) readIntegers(reader, points.times, length);
  else readSecondDifferences(reader, points.times, length);
  readDoubles(reader, points.values, length, format === FORMAT ? readIntegers : readDifferences);
  return points;
}

function readSecondDifferences(reader: ByteReader, integers: Float64Array, length: number): void {
  let before = 0;
  let step = 0;
  for (let row = 0; row < length; row++) {
    before += step + reader.integer();
    // The first is no step from anything.
    step = row === 0 ? 0 : before - integers[row - 1]!;
    integers[row] = before;
  }
}

function readDifferences(reader: ByteReader, integers: Float64Array, length: number): void {
  let before = 0;
  for (let row = 0; row < length; row++) {
    before += reader.integer();
    integers[row] = before;
  }
}
