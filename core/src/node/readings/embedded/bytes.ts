/** Appends bytes to a buffer that grows. One is used again and again by a codec. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = value;
  }

  /** A whole number from −2^51 to 2^51: zigzag, then 7 bits a byte, lowest first. */
  integer(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** A whole number from 0 to 2^53: 7 bits a byte, lowest first. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 128) {
      // Bit operators would cut at 32 bits.
      this.byte((rest % 128) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** The lowest `width` (0 to 24) bits of the first `count` whole numbers, without gaps, lowest first. */
  bits(values: Float64Array, count: number, width: number): void {
    if (width === 0) return;
    if (this.length + count * 3 > this.#bytes.length) this.#grow(count * 3);
    const bytes = this.#bytes;
    const modulus = 2 ** width;
    let word = 0;
    let held = 0;
    let at = this.length;
    for (let row = 0; row < count; row++) {
      const value = values[row]!;
      word |= (value < modulus ? value : value % modulus) << held;
      held += width;
      for (; held >= 8; held -= 8) {
        bytes[at++] = word;
        word >>>= 8;
      }
    }
    if (held > 0) bytes[at++] = word;
    this.length = at;
  }

  double(value: number): void {
    if (this.length + 8 > this.#bytes.length) this.#grow(8);
    this.#view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** A copy of what was written; the writer starts again. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }

  #grow(by: number): void {
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + by));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads what ByteWriter wrote; throws RangeError beyond the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    const value = this.#bytes[this.position++];
    if (value === undefined) throw new RangeError('chunk ends too early');
    return value;
  }

  integer(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  unsigned(): number {
    let byte = this.byte();
    let value = byte & 127;
    for (let scale = 128; byte >= 128; scale *= 128) {
      byte = this.byte();
      value += (byte & 127) * scale;
    }
    return value;
  }

  bits(values: Uint32Array, count: number, width: number): void {
    const bytes = this.#bytes;
    if (this.position + Math.ceil((count * width) / 8) > bytes.length) throw new RangeError('chunk ends too early');
    const mask = 2 ** width - 1;
    let word = 0;
    let held = 0;
    let at = this.position;
    for (let row = 0; row < count; row++) {
      for (; held < width; held += 8) word |= bytes[at++]! << held;
      values[row] = word & mask;
      word >>>= width;
      held -= width;
    }
    this.position = at;
  }

  double(): number {
    const value = this.#view.getFloat64(this.position, true);
    this.position += 8;
    return value;
  }
}
