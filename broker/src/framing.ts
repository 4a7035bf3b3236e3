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
  /** One whole packet, bytes[start, end), its body from `bodyAt`; `bytes` are the sink's only until it returns. False: not now; it is given again on `resume`. */
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

  /** bytes[from, to) have come; they are the framer's only until it returns. */
  feed(bytes: Buffer, from: number, to: number): void {
    if (this.#dead) return;
    const before = this.#waiting ?? this.#head;
    if (before) {
      const all = Buffer.concat([before, bytes.subarray(from, to)]);
      if (this.#waiting) this.#waiting = all;
      else {
        this.#head = null;
        this.#scan(all, 0, all.length, true);
      }
      return;
    }
    const partial = this.#partial;
    if (!partial) {
      this.#scan(bytes, from, to, false);
      return;
    }
    const taken = bytes.copy(partial, this.#have, from, to);
    this.#have += taken;
    if (this.#have < partial.length) return;
    this.#partial = null;
    this.#scan(partial, 0, partial.length, true);
    if (from + taken < to) this.feed(bytes, from + taken, to);
  }

  resume(): void {
    const bytes = this.#waiting;
    if (!bytes) return;
    this.#waiting = null;
    this.#scan(bytes, 0, bytes.length, true);
  }

  /** Nothing more is wanted. */
  stop(): void {
    this.#dead = true;
    this.#waiting = null;
    this.#partial = null;
    this.#head = null;
  }

  /** `own`: nobody else writes into `bytes`. */
  #scan(bytes: Buffer, from: number, to: number, own: boolean): void {
    let at = from;
    while (at < to && !this.#dead) {
      const type = bytes[at]! >> 4;
      if (type === 0 || type === 15) {
        this.#dead = true;
        this.#sink.malformed(`packet type ${type}`);
        return;
      }
      let length = 0;
      let bodyAt = at + 1;
      let complete = false;
      while (bodyAt < to && bodyAt < at + HEADER_MAX) {
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
        } else this.#head = Buffer.from(bytes.subarray(at, to));
        return;
      }
      if (length > this.#limit(type)) {
        this.#dead = true;
        this.#sink.oversize(type, length, bytes.subarray(bodyAt, to));
        return;
      }
      const end = bodyAt + length;
      if (end > to) {
        this.#partial = Buffer.allocUnsafeSlow(end - at);
        this.#have = bytes.copy(this.#partial, 0, at, to);
        return;
      }
      if (!this.#sink.packet(bytes, at, bodyAt, end)) {
        if (this.#dead) return;
        const rest = bytes.subarray(at, to);
        this.#waiting = own ? rest : Buffer.from(rest);
        return;
      }
      at = end;
    }
  }
}
