import type { ByteReader, ByteWriter } from './bytes.ts';
import { readIntegers, writeIntegers } from './packed-integers.ts';

/** How doubles are written: whole numbers of 10^-scale (0 to 9), or bytes that differ from the double before. */
const XOR = 254;
const MAX_SCALE = 9;
/** Whole numbers below this can be packed. */
export const MAX_INTEGER = 2 ** 49;

const scaled = new Float64Array(4096);
const pair = new Float64Array(2);
const pairBytes = new Uint8Array(pair.buffer);

/** Doubles, bit-exact: as few decimals as make all of them exact, else XOR. */
export function writeDoubles(writer: ByteWriter, values: Float64Array, length: number): void {
  const scale = length <= scaled.length ? findScale(values, length) : XOR;
  writer.byte(scale);
  if (scale === XOR) writeXor(writer, values, length);
  else writeIntegers(writer, scaled, length);
}

/** `integers` reads the whole numbers: a chunk of the first format has them otherwise. */
export function readDoubles(reader: ByteReader, values: Float64Array, length: number, integers = readIntegers): void {
  const scale = reader.byte();
  if (scale === XOR) {
    readXor(reader, values, length);
    return;
  }
  if (scale > MAX_SCALE) throw new RangeError(`chunk has values of unknown kind ${scale}`);
  integers(reader, values, length);
  const factor = 10 ** scale;
  if (scale > 0) for (let row = 0; row < length; row++) values[row]! /= factor;
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

/** Per value one byte that says which bytes differ from the value before (first × 16 + how many), then those bytes. */
function writeXor(writer: ByteWriter, values: Float64Array, length: number): void {
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

function readXor(reader: ByteReader, values: Float64Array, length: number): void {
  pair[0] = 0;
  for (let row = 0; row < length; row++) {
    const head = reader.byte();
    const first = head >> 4;
    for (let at = 0; at < head % 16; at++) pairBytes[first + at] = reader.byte();
    values[row] = pair[0];
  }
}
