import { type Hash64, hash64, type Recognition, toBigint } from './identity.ts';

/** A mark is forgotten only when it is neither among the device's last 256 nor within 10 minutes. */
export const MARKS_KEPT = 256;
export const MARKS_KEPT_MS = 10 * 60_000;
/** Up to here a scan over the columns is as fast as a look-up; a device of some messages a minute never has more. */
const SCAN_MAX = 1024;

/**
 * Marks of one device's messages that could come again, oldest first: a ring in columns, 16 bytes a mark, because every device that sends
 * no `ts` has 256 of them. Positions count from the first mark ever; a position's row is its rest by the capacity, a power of two.
 */
export class Marks {
  #high = new Uint32Array(0);
  #low = new Uint32Array(0);
  #at = new Float64Array(0);
  #begin = 0;
  #end = 0;
  /** Hash → newest position, for a device that sends many. */
  #index: Map<bigint, number> | null = null;

  get size(): number {
    return this.#end - this.#begin;
  }

  has(hash: Hash64): boolean {
    return this.#find(hash) >= 0;
  }

  add(hash: Hash64, receivedAt: number): void {
    const oldest = receivedAt - MARKS_KEPT_MS;
    while (this.size >= MARKS_KEPT && this.#at[this.#begin & (this.#low.length - 1)]! < oldest) this.#forgetOldest();
    if (this.size === this.#low.length) this.#grow();
    const row = this.#end & (this.#low.length - 1);
    this.#high[row] = hash.high;
    this.#low[row] = hash.low;
    this.#at[row] = receivedAt;
    this.#index?.set(toBigint(hash), this.#end);
    this.#end++;
    if (!this.#index && this.size > SCAN_MAX) this.#buildIndex();
  }

  /** Takes back what a refused commit had added. */
  remove(hash: Hash64): void {
    const position = this.#find(hash);
    if (position < 0) return;
    const row = position & (this.#low.length - 1);
    this.#high[row] = 0;
    this.#low[row] = 0;
    this.#index?.delete(toBigint(hash));
  }

  /** The newest position of the hash, or −1. */
  #find(hash: Hash64): number {
    if (this.#index) return this.#index.get(toBigint(hash)) ?? -1;
    const { high, low } = hash;
    const mask = this.#low.length - 1;
    for (let position = this.#end - 1; position >= this.#begin; position--)
      if (this.#low[position & mask] === low && this.#high[position & mask] === high) return position;
    return -1;
  }

  #forgetOldest(): void {
    const hash = this.#index && toBigint(this.#hashAt(this.#begin));
    if (hash !== null && this.#index?.get(hash) === this.#begin) this.#index.delete(hash);
    this.#begin++;
  }

  #hashAt(position: number): Hash64 {
    const row = position & (this.#low.length - 1);
    return { high: this.#high[row]!, low: this.#low[row]! };
  }

  #grow(): void {
    const capacity = Math.max(16, this.#low.length * 2);
    const high = new Uint32Array(capacity);
    const low = new Uint32Array(capacity);
    const at = new Float64Array(capacity);
    for (let position = this.#begin; position < this.#end; position++) {
      const from = position & (this.#low.length - 1);
      const to = position & (capacity - 1);
      high[to] = this.#high[from]!;
      low[to] = this.#low[from]!;
      at[to] = this.#at[from]!;
    }
    this.#high = high;
    this.#low = low;
    this.#at = at;
  }

  #buildIndex(): void {
    this.#index = new Map();
    for (let position = this.#begin; position < this.#end; position++)
      this.#index.set(toBigint(this.#hashAt(position)), position);
  }
}

const CHANNEL_SALT = { telemetry: 1, event: 2 } as const;

/** The mark of a message with the payload bytes[from, to), or null when it cannot be recognised. Marks are per device, so the device is not part of it. */
export function markOf(
  channel: keyof typeof CHANNEL_SALT,
  by: Recognition,
  packetId: number,
  bytes: Uint8Array,
  from: number,
  to: number,
): Hash64 | null {
  if (by === 'none') return null;
  const salt = CHANNEL_SALT[channel];
  return hash64(bytes, from, to, by === 'payload' ? salt : salt + 16 + packetId * 32);
}

/** Whether a message with that mark is a repeat. Without `ts` and `seq` only a message that says so itself (DUP) can be one. */
export function isRepeat(marks: Marks, mark: Hash64 | null, by: Recognition, dup: boolean): boolean {
  if (mark === null || (by === 'packet' && !dup)) return false;
  return marks.has(mark);
}
