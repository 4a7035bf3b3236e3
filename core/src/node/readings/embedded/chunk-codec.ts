import { ByteReader, ByteWriter } from './bytes.ts';

/** Columns of a chunk; the first `length` elements count. */
export interface Points {
  length: number;
  times: Float64Array;
  values: Float64Array;
}

const FORMAT = 1;
/** How a column is written: whole numbers of 10^-scale as differences (0 to 9), bytes that differ from the value before, or doubles as they are. */
const XOR = 254;
const RAW = 255;
const MAX_SCALE = 9;
/** Differences of whole numbers below this stay exact in ByteWriter.integer. */
const MAX_INTEGER = 2 ** 49;

const writer = new ByteWriter();
const scaled = new Float64Array(4096);
const pair = new Float64Array(2);
const pairBytes = new Uint8Array(pair.buffer);

/**
 * Points as bytes: format, count, times as differences of differences, values as differences of scaled integers where that is exact,
 * else XOR. Bit-exact for every double. A regular series with few decimals takes 2 to 3 bytes a point.
 */
export function encodeChunk({ length, times, values }: Points): Uint8Array {
  writer.byte(FORMAT);
  writer.integer(length);
  encodeTimes(times, length);
  encodeValues(values, length);
  return writer.take();
}

/** The arrays have room for `capacity` points at least. Throws on bytes that are no chunk of this format. */
export function decodeChunk(bytes: Uint8Array, capacity = 0): Points {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== FORMAT) throw new RangeError(`chunk format ${bytes[0]} is unknown`);
  const length = reader.integer();
  if (length < 0 || length > 2 * bytes.length) throw new RangeError('chunk is damaged');
  const room = Math.max(length, capacity);
  const points = { length, times: new Float64Array(room), values: new Float64Array(room) };
  decodeTimes(reader, points.times, length);
  decodeValues(reader, points.values, length);
  return points;
}

function encodeTimes(times: Float64Array, length: number): void {
  const regular = times
    .subarray(0, length)
    .every((time) => Number.isInteger(time) && Math.abs(time) < MAX_INTEGER && !Object.is(time, -0));
  writer.byte(regular ? 0 : RAW);
  let before = 0;
  let step = 0;
  for (let row = 0; row < length; row++) {
    const time = times[row]!;
    if (!regular) {
      writer.double(time);
      continue;
    }
    writer.integer(time - before - step);
    step = row === 0 ? 0 : time - before;
    before = time;
  }
}

function decodeTimes(reader: ByteReader, times: Float64Array, length: number): void {
  const regular = reader.byte() === 0;
  let before = 0;
  let step = 0;
  for (let row = 0; row < length; row++) {
    if (!regular) {
      times[row] = reader.double();
      continue;
    }
    const time = reader.integer() + step + before;
    step = row === 0 ? 0 : time - before;
    before = time;
    times[row] = time;
  }
}

function encodeValues(values: Float64Array, length: number): void {
  const scale = length <= scaled.length ? findScale(values, length) : XOR;
  writer.byte(scale);
  if (scale === XOR) {
    encodeXor(values, length);
    return;
  }
  let before = 0;
  for (let row = 0; row < length; row++) {
    writer.integer(scaled[row]! - before);
    before = scaled[row]!;
  }
}

/** The smallest number of decimals in which every value is exact, leaving the integers in `scaled`; XOR when there is none. */
function findScale(values: Float64Array, length: number): number {
  let scale = 0;
  let factor = 1;
  let row = 0;
  while (row < length) {
    const integer = Math.round(values[row]! * factor);
    if (Math.abs(integer) < MAX_INTEGER && !Object.is(integer, -0) && integer / factor === values[row]) {
      scaled[row++] = integer;
    } else {
      if (++scale > MAX_SCALE) return XOR;
      factor = 10 ** scale;
      row = 0;
    }
  }
  return scale;
}

function decodeValues(reader: ByteReader, values: Float64Array, length: number): void {
  const scale = reader.byte();
  if (scale === XOR) {
    decodeXor(reader, values, length);
    return;
  }
  if (scale > MAX_SCALE) throw new RangeError(`chunk has values of unknown kind ${scale}`);
  const factor = 10 ** scale;
  let integer = 0;
  for (let row = 0; row < length; row++) {
    integer += reader.integer();
    values[row] = integer / factor;
  }
}

/** Per value one byte that says which bytes differ from the value before (first × 16 + how many), then those bytes. */
function encodeXor(values: Float64Array, length: number): void {
  let before = 0;
  for (let row = 0; row < length; row++) {
    pair[0] = before;
    pair[1] = values[row]!;
    let first = 0;
    while (first < 8 && pairBytes[first] === pairBytes[8 + first]) first++;
    let end = 8;
    while (end > first && pairBytes[end - 1] === pairBytes[7 + end]) end--;
    writer.byte((first % 8) * 16 + (end - first));
    for (let at = first; at < end; at++) writer.byte(pairBytes[8 + at]!);
    before = values[row]!;
  }
}

function decodeXor(reader: ByteReader, values: Float64Array, length: number): void {
  pair[0] = 0;
  for (let row = 0; row < length; row++) {
    const head = reader.byte();
    const first = head >> 4;
    for (let at = 0; at < head % 16; at++) pairBytes[first + at] = reader.byte();
    values[row] = pair[0];
  }
}
