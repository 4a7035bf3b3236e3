/** Who gets the bytes: bytes[from, to), its own only until it returns. */
export interface Reader {
  arrived(bytes: Buffer, from: number, to: number): void;
}

/** Most that is gathered; what is more is handed out at once. */
const ROOM = 256 * 1024;

/**
 * What all connections read in one turn of the event loop, handed out in one go behind the reads, in the order in which it came. A system
 * call between any two messages would cost their handling what the processor's caches hold of it.
 */
export class Arrivals {
  readonly #bytes = Buffer.allocUnsafeSlow(ROOM);
  readonly #readers: Reader[] = [];
  readonly #ends: number[] = [];
  #used = 0;

  /** The first `length` of `bytes` are for this reader; copied. */
  add(reader: Reader, bytes: Buffer, length: number): void {
    if (this.#used + length > ROOM) this.settle();
    if (length > ROOM) {
      reader.arrived(bytes, 0, length);
      return;
    }
    if (this.#used === 0) setImmediate(() => this.settle());
    bytes.copy(this.#bytes, this.#used, 0, length);
    this.#used += length;
    this.#readers.push(reader);
    this.#ends.push(this.#used);
  }

  /** Hands out what is gathered. To be called before what comes behind it is dealt with: a stream's end, an error. */
  settle(): void {
    let from = 0;
    for (let i = 0; i < this.#readers.length; i++) {
      const to = this.#ends[i]!;
      this.#readers[i]!.arrived(this.#bytes, from, to);
      from = to;
    }
    this.#readers.length = 0;
    this.#ends.length = 0;
    this.#used = 0;
  }
}
