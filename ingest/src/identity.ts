/** What a reading is to its series. */
export type Standing = 'new' | 'late' | 'same' | 'conflict';

/**
 * A reading's standing against the last one of its series (`lastTime` NaN = none yet): the same again is dropped, another value at the
 * same ms is refused, an older one is history only; the readings store finds what an older one repeats.
 */
export function standing(time: number, value: number, lastTime: number, lastValue: number): Standing {
  if (time === lastTime) return value === lastValue ? 'same' : 'conflict';
  return time < lastTime ? 'late' : 'new';
}

/** How a repeat of a message can be known. */
export type Recognition =
  /** By its payload alone: it has a `ts` or a `seq`. */
  | 'payload'
  /** By DUP, packet id and payload: it has neither, and the publisher may send it again (QoS 1, 2). */
  | 'packet'
  /** Not at all, and it is never sent again (QoS 0). */
  | 'none';

export function recognition(hasTsOrSeq: boolean, qos: 0 | 1 | 2): Recognition {
  if (hasTsOrSeq) return 'payload';
  return qos === 0 ? 'none' : 'packet';
}

/** 64 bits as two unsigned halves. */
export interface Hash64 {
  high: number;
  low: number;
}

export function toBigint({ high, low }: Hash64): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

export function fromBigint(hash: bigint): Hash64 {
  return { high: Number(hash >> 32n), low: Number(hash & 0xffffffffn) };
}

/** A 64-bit hash of bytes[from, to), salted; stable across releases, because marks are stored. */
export function hash64(bytes: Uint8Array, from: number, to: number, salt: number): Hash64 {
  let a = Math.imul(salt ^ 0x9e3779b9, 0x85ebca6b);
  let b = Math.imul(salt ^ 0x6a09e667, 0xc2b2ae35);
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!;
    // Rotation carries every bit into the whole word; without it the low bits of both lanes would depend on the low bits of the text alone.
    a = Math.imul(a ^ byte, 0x9e3779b1);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b + byte, 0x85ebca77) ^ (b >>> 15);
    b = (b << 11) | (b >>> 21);
  }
  const length = to - from;
  return { high: mix(a ^ length, b), low: mix(b ^ Math.imul(length, 0x27d4eb2f), a) };
}

/** Murmur3's finaliser over one lane with the other stirred in; unsigned. */
function mix(lane: number, other: number): number {
  let h = lane ^ Math.imul(other, 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
