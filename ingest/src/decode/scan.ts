import { METRIC_NAMES } from '@smart-fire/core';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const SPACE = 0x20;
const DELETE = 0x7f;

/** Up to here a decimal fraction is an integer divided by an exact power of ten, so one correctly rounded division gives what JSON.parse gives. */
const DIGITS_MAX = 15;
const POWERS = Float64Array.from({ length: DIGITS_MAX + 1 }, (_, power) => 10 ** power);
const POINT_MAX = 64;

const NAMES = METRIC_NAMES.map((name) => Buffer.from(name));
/** Metrics by length and first byte of their name; few share both. */
const CANDIDATES: number[][] = [];
for (const [metric, name] of NAMES.entries()) {
  const at = bucket(name.length, name[0]!);
  CANDIDATES[at] = [...(CANDIDATES[at] ?? []), metric];
}

function bucket(length: number, first: number): number {
  return (length << 5) | (first & 31);
}

/**
 * Reads a telemetry object of the plain form straight from its bytes, without making a string or an object of it: integers for `ts` and
 * `seq`, a printable ASCII `point`, numbers without exponent under known metrics, each key once. Everything else, wrong or merely unusual,
 * is left to JSON.parse and the checker; the tests prove that both say the same of what is read here.
 */
export class PlainTelemetry {
  ts: number | null = null;
  seq: number | null = null;
  point = '';
  /** Metrics (indices into METRIC_NAMES) and values; the first `count` rows count. */
  readonly metrics = new Uint8Array(NAMES.length);
  readonly values = new Float64Array(NAMES.length);
  count = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #number = 0;

  /** False when bytes[from, to) are not of the plain form; then nothing here means anything. */
  read(bytes: Uint8Array, from: number, to: number): boolean {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.ts = null;
    this.seq = null;
    this.point = '';
    this.count = 0;
    return this.#object() && this.#next() === -1;
  }

  #object(): boolean {
    if (this.#next() !== OPEN) return false;
    let values = false;
    let point = false;
    for (;;) {
      this.#at++;
      if (this.#next() !== QUOTE) return false;
      const bytes = this.#bytes;
      const at = ++this.#at;
      const first = bytes[at];
      // ts
      if (first === 0x74 && bytes[at + 1] === 0x73 && bytes[at + 2] === QUOTE) {
        this.#at = at + 3;
        if (this.ts !== null || !this.#colon() || !this.#integer()) return false;
        this.ts = this.#number;
      } else if (first === 0x73 && bytes[at + 1] === 0x65 && bytes[at + 2] === 0x71 && bytes[at + 3] === QUOTE) {
        this.#at = at + 4;
        if (this.seq !== null || !this.#colon() || !this.#integer()) return false;
        this.seq = this.#number;
      } else if (first === 0x76 && this.#is('values', at)) {
        this.#at = at + 7;
        if (values || !this.#colon() || !this.#values()) return false;
        values = true;
      } else if (first === 0x70 && this.#is('point', at)) {
        this.#at = at + 6;
        if (point || !this.#colon() || !this.#text()) return false;
        point = true;
      } else return false;
      const after = this.#next();
      if (after === CLOSE) break;
      if (after !== COMMA) return false;
    }
    this.#at++;
    return values;
  }

  #values(): boolean {
    if (this.#next() !== OPEN) return false;
    this.#at++;
    if (this.#next() === CLOSE) {
      this.#at++;
      return true;
    }
    for (;;) {
      if (this.#next() !== QUOTE) return false;
      const metric = this.#metric();
      if (metric < 0) return false;
      for (let i = 0; i < this.count; i++) if (this.metrics[i] === metric) return false;
      if (!this.#colon() || !this.#decimal()) return false;
      this.metrics[this.count] = metric;
      this.values[this.count++] = this.#number;
      const after = this.#next();
      this.#at++;
      if (after === CLOSE) return true;
      if (after !== COMMA) return false;
    }
  }

  /** At the opening quote; behind the closing one afterwards. −1 when it is no metric. */
  #metric(): number {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    while (at < this.#end && bytes[at] !== QUOTE) at++;
    const length = at - start;
    this.#at = at + 1;
    const candidates = CANDIDATES[bucket(length, bytes[start]!)];
    if (candidates === undefined) return -1;
    for (let i = 0; i < candidates.length; i++) {
      const name = NAMES[candidates[i]!]!;
      if (name.length !== length) continue;
      let same = 0;
      while (same < length && bytes[start + same] === name[same]) same++;
      if (same === length) return candidates[i]!;
    }
    return -1;
  }

  #colon(): boolean {
    if (this.#next() !== COLON) return false;
    this.#at++;
    this.#next();
    return true;
  }

  /** A whole number of at most 15 digits. −0 is 0 here, as it is for the checker. */
  #integer(): boolean {
    if (!this.#decimal() || !Number.isInteger(this.#number)) return false;
    this.#number += 0;
    return true;
  }

  /** A number without exponent and of at most 15 digits. */
  #decimal(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const start = at;
    let mantissa = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      mantissa = mantissa * 10 + digit;
    }
    let digits = at - start;
    // JSON knows no leading zeros, and at least one digit must be there.
    if (digits === 0 || (digits > 1 && bytes[start] === ZERO)) return false;
    let fraction = 0;
    if (at < end && bytes[at] === DOT) {
      const behind = ++at;
      for (; at < end; at++) {
        const digit = bytes[at]! - ZERO;
        if (digit < 0 || digit > 9) break;
        mantissa = mantissa * 10 + digit;
      }
      fraction = at - behind;
      if (fraction === 0) return false;
      digits += fraction;
    }
    if (digits > DIGITS_MAX) return false;
    const value = fraction === 0 ? mantissa : mantissa / POWERS[fraction]!;
    this.#number = negative ? -value : value;
    this.#at = at;
    return true;
  }

  #text(): boolean {
    const bytes = this.#bytes;
    if (bytes[this.#at] !== QUOTE) return false;
    const start = this.#at + 1;
    let at = start;
    while (at < this.#end && bytes[at] !== QUOTE) {
      const byte = bytes[at]!;
      if (byte < SPACE || byte >= DELETE || byte === BACKSLASH) return false;
      at++;
    }
    if (at >= this.#end || at - start > POINT_MAX) return false;
    let text = '';
    for (let i = start; i < at; i++) text += String.fromCharCode(bytes[i]!);
    this.point = text;
    this.#at = at + 1;
    return true;
  }

  /** Whether `word"` is at `at`. */
  #is(word: string, at: number): boolean {
    for (let i = 0; i < word.length; i++) if (this.#bytes[at + i] !== word.charCodeAt(i)) return false;
    return this.#bytes[at + word.length] === QUOTE;
  }

  /** The next byte that is no white space, without taking it; −1 at the end. */
  #next(): number {
    const bytes = this.#bytes;
    while (this.#at < this.#end) {
      const byte = bytes[this.#at]!;
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#at++;
    }
    return -1;
  }
}
