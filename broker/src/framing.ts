/** MQTT control packet types [MQTT 3.1.1 §2.2.1] that this side looks at. */
export const PACKET = {
  connect: 1,
  publish: 3,
  puback: 4,
  pubcomp: 7,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const;

/** Who gets the packets. */
export interface FrameSink {
  /** One whole packet, bytes[start, end), its body from `bodyAt`. False: not now; it is given again on `resume`. */
  packet(bytes: Buffer, start: number, bodyAt: number, end: number): boolean;
  /** A packet that announces more than allowed. `body` is what is here of it; nothing more will be read. */
  oversize(type: number, length: number, body: Buffer): void;
  malformed(what: string): void;
}

/** The remaining length is at most four bytes [MQTT 3.1.1 §2.2.3], so a header is at most five. */
const HEADER_MAX = 5;

/**
 * Cuts a byte stream into MQTT packets, reading fixed headers only. Whole packets inside a chunk are not copied; an incomplete one
 * occupies exactly its own size, which is checked against the limit before anything is kept.
 */
export class Framer {
  readonly #sink: FrameSink;
  readonly #limit: (type: number) => number;
  /** The first bytes of a header that has not arrived wholly. */
  #head: Buffer | null = null;
  #partial: Buffer | null = null;
  #have = 0;
  /** What was not wanted yet. */
  #waiting: Buffer | null = null;
  #dead = false;

  /** @param limit largest body of a packet of this type, in bytes; negative: none at all */
  constructor(sink: FrameSink, limit: (type: number) => number) {
    this.#sink = sink;
    this.#limit = limit;
  }

  /** True while the sink has refused a packet for now. */
  get waiting(): boolean {
    return this.#waiting !== null;
  }

  feed(chunk: Buffer): void {
    if (this.#dead) return;
    if (this.#waiting) {
      this.#waiting = Buffer.concat([this.#waiting, chunk]);
      return;
    }
    if (this.#head) {
      const bytes = Buffer.concat([this.#head, chunk]);
      this.#head = null;
      this.#scan(bytes);
      return;
    }
    if (!this.#partial) {
      this.#scan(chunk);
      return;
    }
    const taken = chunk.copy(this.#partial, this.#have);
    this.#have += taken;
    if (this.#have < this.#partial.length) return;
    const whole = this.#partial;
    this.#partial = null;
    this.#scan(whole);
    if (taken < chunk.length) this.feed(chunk.subarray(taken));
  }

  resume(): void {
    const bytes = this.#waiting;
    if (!bytes) return;
    this.#waiting = null;
    this.#scan(bytes);
  }

  /** Nothing more is wanted. */
  stop(): void {
    this.#dead = true;
    this.#waiting = null;
    this.#partial = null;
    this.#head = null;
  }

  #scan(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#dead) {
      const type = bytes[at]! >> 4;
      if (type === 0 || type === 15) {
        this.#dead = true;
        this.#sink.malformed(`packet type ${type}`);
        return;
      }
      let length = 0;
      let bodyAt = at + 1;
      let complete = false;
      while (bodyAt < bytes.length && bodyAt < at + HEADER_MAX) {
        const byte = bytes[bodyAt++]!;
        length += (byte & 0x7f) * 128 ** (bodyAt - at - 2);
        if (byte < 0x80) {
          complete = true;
          break;
        }
      }
      if (!complete) {
        if (bodyAt === at + HEADER_MAX) {
          this.#dead = true;
          this.#sink.malformed('remaining length of more than four bytes');
        } else this.#head = Buffer.from(bytes.subarray(at));
        return;
      }
      if (length > this.#limit(type)) {
        this.#dead = true;
        this.#sink.oversize(type, length, bytes.subarray(bodyAt));
        return;
      }
      const end = bodyAt + length;
      if (end > bytes.length) {
        this.#partial = Buffer.allocUnsafeSlow(end - at);
        this.#have = bytes.copy(this.#partial, 0, at);
        return;
      }
      if (!this.#sink.packet(bytes, at, bodyAt, end)) {
        if (!this.#dead) this.#waiting = bytes.subarray(at);
        return;
      }
      at = end;
    }
  }
}
