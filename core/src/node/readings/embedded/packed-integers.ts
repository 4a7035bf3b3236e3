import type { ByteReader, ByteWriter } from './bytes.ts';

/** Integers of one block, which share a width. */
const BLOCK = 128;
/** A head byte: width, and what else the block is. */
const WIDTH_MAX = 24;
const EXCEPTIONS = 64;
const DIFFERENCES = 128;
/** What an exception takes beside the bits that do not fit. */
const EXCEPTION_BITS = 14;

/** Of the block being written: the integers and their differences; what is chosen becomes offsets, folded: 0, −1, 1, −2… as 0, 1, 2, 3… */
const plain = new Float64Array(BLOCK);
const differences = new Float64Array(BLOCK);
const sample = new Float64Array(15);
/** How many offsets have so many bits. */
const lengths = new Uint16Array(54);
/** Of the block being read: its packed part, and the upper bits of its exceptions. */
const packed = new Uint32Array(BLOCK);
const upper = new Float64Array(BLOCK);

/**
 * Integers between −2^49 and 2^49, block by block, of themselves or of their differences, whichever are closer together. Each takes as many
 * bits as make the block smallest; one that has more (a gap, a spike) has its upper bits behind the block.
 */
export function writeIntegers(writer: ByteWriter, integers: Float64Array, length: number): void {
  let before = 0;
  for (let start = 0; start < length; start += BLOCK) {
    const count = Math.min(BLOCK, length - start);
    for (let row = 0; row < count; row++) {
      const integer = integers[start + row]!;
      plain[row] = integer;
      differences[row] = integer - before;
      before = integer;
    }
    const [ofPlain, ofDifferences] = [sampled(plain, count), sampled(differences, count)];
    if (ofDifferences.spread < ofPlain.spread)
      writeBlock(writer, differences, count, ofDifferences.middle, DIFFERENCES);
    else writeBlock(writer, plain, count, ofPlain.middle, 0);
  }
}

/** Reads what writeIntegers wrote; a few bytes may stand for 128 integers. Throws RangeError on what cannot be. */
export function readIntegers(reader: ByteReader, integers: Float64Array, length: number): void {
  let before = 0;
  for (let start = 0; start < length; start += BLOCK) {
    const count = Math.min(BLOCK, length - start);
    const head = reader.byte();
    const width = head & 31;
    if (width > WIDTH_MAX) throw new RangeError(`block has integers of ${width} bits`);
    const centre = reader.integer();
    reader.bits(packed, count, width);
    if (head & EXCEPTIONS) readExceptions(reader, 2 ** width);
    const summed = head >= DIFFERENCES;
    for (let row = 0; row < count; row++) {
      // 32-bit arithmetic where nothing is wider: most blocks, and three times as fast.
      const offset = packed[row]!;
      const distance = head & EXCEPTIONS ? unfold(offset + upper[row]!) : (offset >>> 1) ^ -(offset & 1);
      before = summed ? before + centre + distance : centre + distance;
      integers[start + row] = before;
    }
  }
}

/** About the median of integers and how far half of them lie apart, by a sample: outliers do not count. */
function sampled(integers: Float64Array, count: number): { middle: number; spread: number } {
  const taken = Math.min(count, sample.length);
  for (let at = 0; at < taken; at++) {
    const integer = integers[Math.floor(((at + 0.5) * count) / taken)]!;
    let place = at;
    for (; place > 0 && sample[place - 1]! > integer; place--) sample[place] = sample[place - 1]!;
    sample[place] = integer;
  }
  return { middle: sample[taken >> 1]!, spread: sample[(taken * 3) >> 2]! - sample[taken >> 2]! };
}

function writeBlock(writer: ByteWriter, integers: Float64Array, count: number, centre: number, kind: number): void {
  fold(integers, count, centre);
  const width = bestWidth(count);
  const limit = 2 ** width;
  let exceptions = 0;
  for (let row = 0; row < count; row++) if (integers[row]! >= limit) exceptions++;
  writer.byte(kind + (exceptions > 0 ? EXCEPTIONS : 0) + width);
  writer.integer(centre);
  writer.bits(integers, count, width);
  if (exceptions === 0) return;
  writer.byte(exceptions);
  for (let row = 0; row < count; row++) {
    if (integers[row]! < limit) continue;
    writer.byte(row);
    writer.unsigned(Math.floor(integers[row]! / limit));
  }
}

function fold(integers: Float64Array, count: number, centre: number): void {
  lengths.fill(0);
  for (let row = 0; row < count; row++) {
    const distance = integers[row]! - centre;
    const offset = distance < 0 ? -2 * distance - 1 : 2 * distance;
    integers[row] = offset;
    lengths[bitsOf(offset)]!++;
  }
}

const unfold = (offset: number): number => (offset % 2 === 0 ? offset / 2 : -(offset + 1) / 2);

const bitsOf = (value: number): number => (value < 2 ** 31 ? 32 - Math.clz32(value) : 1 + Math.floor(Math.log2(value)));

function bestWidth(count: number): number {
  let [best, fewest] = [0, Number.POSITIVE_INFINITY];
  let exceptions = 0;
  let theirBits = 0;
  for (let width = lengths.length - 1; width >= 0; width--) {
    const bits = count * width + theirBits + exceptions * (EXCEPTION_BITS - width);
    if (width <= WIDTH_MAX && bits < fewest) [best, fewest] = [width, bits];
    exceptions += lengths[width]!;
    theirBits += lengths[width]! * width;
  }
  return best;
}

function readExceptions(reader: ByteReader, limit: number): void {
  upper.fill(0);
  for (let left = reader.byte(); left > 0; left--) upper[reader.byte() % BLOCK] = reader.unsigned() * limit;
}
