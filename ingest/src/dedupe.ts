import { hash64, type Recognition } from './identity.ts';

/** A mark is forgotten only when it is neither among the device's last 256 nor within 10 minutes. */
export const MARKS_KEPT = 256;
export const MARKS_KEPT_MS = 10 * 60_000;

/** Marks of one device's messages that could come again, oldest first. */
export class Marks {
  /** Hash → our clock when it came. A map keeps the order of insertion. */
  readonly #at = new Map<bigint, number>();

  get size(): number {
    return this.#at.size;
  }

  has(hash: bigint): boolean {
    return this.#at.has(hash);
  }

  add(hash: bigint, receivedAt: number): void {
    // Newest last, also when it was there before (a packet id that is used again).
    this.#at.delete(hash);
    this.#at.set(hash, receivedAt);
    if (this.#at.size <= MARKS_KEPT) return;
    for (const [oldest, at] of this.#at) {
      if (this.#at.size <= MARKS_KEPT || at >= receivedAt - MARKS_KEPT_MS) return;
      this.#at.delete(oldest);
    }
  }

  /** Takes back what a refused commit had added. */
  remove(hash: bigint): void {
    this.#at.delete(hash);
  }
}

const CHANNEL_SALT = { telemetry: 1, event: 2 } as const;

/** The mark of a message, or null when it cannot be recognised. Marks are per device, so the device is not part of it. */
export function markOf(
  channel: keyof typeof CHANNEL_SALT,
  by: Recognition,
  packetId: number,
  text: string,
): bigint | null {
  if (by === 'none') return null;
  return hash64(text, by === 'payload' ? CHANNEL_SALT[channel] : CHANNEL_SALT[channel] + 16 + packetId * 32);
}

/** Whether a message with that mark is a repeat. Without `ts` and `seq` only a message that says so itself (DUP) can be one. */
export function isRepeat(marks: Marks, mark: bigint | null, by: Recognition, dup: boolean): boolean {
  if (mark === null || (by === 'packet' && !dup)) return false;
  return marks.has(mark);
}
