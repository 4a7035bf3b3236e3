import { isUtf8 } from 'node:buffer';
import { deviceTopic, type RawMessage, type UpChannel } from '@smart-fire/core';

/** Messages kept per device, and bytes: per device, and of all devices together. */
const MESSAGES_MAX = 50;
const DEVICE_BYTES_MAX = 8 * 1024;
const ALL_BYTES_MAX = 64 * 1024 ** 2;
/** Bytes a ring begins with: growing it step by step would cost every new device several buffers. */
const RING_MIN = 2048;
/** Rings looked at for one that grows. */
const ROUND_MAX = 64;
/** Messages beyond them before the oldest are dropped together. */
const SLACK = 16;
/** Longest payload and longest topic kept. */
const PAYLOAD_MAX = 2048;
const TOPIC_MAX = 512;

/** Before each payload: its length and the topic's (uint16 each), receivedAt (uint48), word (uint16), QoS. */
const HEAD = 13;

/** The messages of one device, in the bytes they came in: `count` records end to end, oldest first, up to `length`. */
export interface RawRing {
  bytes: Buffer;
  length: number;
  count: number;
}

/** The payload as people read it: cut at 2 KiB, base64 when it is no UTF-8 (`text` null). */
export function readable(payload: Buffer, text: string | null): { payload: string; encoding: 'utf8' | 'base64' } {
  if (text === null) return { payload: payload.subarray(0, PAYLOAD_MAX).toString('base64'), encoding: 'base64' };
  if (payload.length <= PAYLOAD_MAX) return { payload: text, encoding: 'utf8' };
  // The cut may fall into a character.
  return {
    payload: payload
      .subarray(0, PAYLOAD_MAX)
      .toString('utf8')
      .replace(/\uFFFD+$/u, ''),
    encoding: 'utf8',
  };
}

/**
 * The last 50 messages of each device as they came, copied as bytes: no string or object is made until somebody looks.
 * Lost at a restart; what was in them is in the journal.
 */
export class RawMessages {
  readonly #rings = new Set<RawRing>();
  /** Which ring gives back next. */
  #round = this.#rings.values();
  /** Channels and outcomes as numbers: both are few. */
  readonly #words: string[] = [];
  readonly #numbers = new Map<string, number>();
  #channel = '';
  #outcome = '';
  #word = -1;
  #bytes = 0;

  /**
   * Adds bytes[from, to) to `ring`, or to a new one when the device has none; returns it. `topic` is a channel, or the whole topic of a
   * message that was refused for it.
   */
  add(
    ring: RawRing | null,
    topic: UpChannel | string,
    receivedAt: number,
    qos: number,
    outcome: string,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): RawRing {
    const kept = ring ?? this.#open();
    const foreign = isForeign(topic) ? Buffer.from(topic).subarray(0, TOPIC_MAX) : null;
    const topicLength = foreign?.length ?? 0;
    const length = Math.min(to - from, PAYLOAD_MAX);
    const size = HEAD + topicLength + length;
    const at = this.#room(kept, size);
    const target = kept.bytes;
    // By hand: the records are short, and each call into native code costs more than the bytes.
    target[at] = length & 0xff;
    target[at + 1] = length >> 8;
    target[at + 2] = topicLength & 0xff;
    target[at + 3] = topicLength >> 8;
    let time = receivedAt;
    for (let i = 4; i < 10; i++) {
      target[at + i] = time & 0xff;
      time = Math.floor(time / 256);
    }
    const word = this.#wordOf(foreign ? '' : topic, outcome);
    target[at + 10] = word & 0xff;
    target[at + 11] = word >> 8;
    target[at + 12] = qos;
    if (foreign) target.set(foreign, at + HEAD);
    const payloadAt = at + HEAD + topicLength;
    for (let i = 0; i < length; i++) target[payloadAt + i] = bytes[from + i]!;
    kept.length = at + size;
    kept.count++;
    return kept;
  }

  /** Newest first, at most 50. */
  of(device: string, ring: RawRing | null | undefined): RawMessage[] {
    if (!ring) return [];
    const messages: RawMessage[] = [];
    for (let at = 0; at < ring.length; at += sizeAt(ring.bytes, at)) messages.push(this.#read(device, ring.bytes, at));
    return messages.slice(-MESSAGES_MAX).reverse();
  }

  forget(ring: RawRing): void {
    this.#bytes -= ring.bytes.length;
    this.#rings.delete(ring);
  }

  #read(device: string, bytes: Buffer, at: number): RawMessage {
    const length = bytes.readUInt16LE(at);
    const topicLength = bytes.readUInt16LE(at + 2);
    const word = this.#words[bytes.readUInt16LE(at + 10)]!;
    const payloadAt = at + HEAD + topicLength;
    const payload = bytes.subarray(payloadAt, payloadAt + length);
    const [channel, outcome] = word.split(' ');
    return {
      receivedAt: bytes.readUIntLE(at + 4, 6),
      topic: topicLength > 0 ? bytes.toString('utf8', at + HEAD, payloadAt) : deviceTopic(device, channel as UpChannel),
      ...readable(payload, textOf(payload)),
      qos: bytes[at + 12]!,
      outcome: outcome!,
    };
  }

  #wordOf(channel: string, outcome: string): number {
    // Most messages are like the one before.
    if (channel === this.#channel && outcome === this.#outcome) return this.#word;
    const word = `${channel} ${outcome}`;
    let number = this.#numbers.get(word);
    if (number === undefined) {
      number = this.#words.push(word) - 1;
      this.#numbers.set(word, number);
    }
    this.#channel = channel;
    this.#outcome = outcome;
    this.#word = number;
    return number;
  }

  #open(): RawRing {
    const ring: RawRing = { bytes: Buffer.alloc(0), length: 0, count: 0 };
    this.#rings.add(ring);
    return ring;
  }

  /** Makes room for a record of `size` bytes behind the others and returns where; the oldest go when the bounds say so. */
  #room(ring: RawRing, size: number): number {
    const capacity = ring.bytes.length;
    const full = ring.length + size > capacity;
    if (!full && ring.count < MESSAGES_MAX + SLACK) return ring.length;
    const share = Math.min(DEVICE_BYTES_MAX, Math.floor(ALL_BYTES_MAX / this.#rings.size));
    // For as many as are kept, if they go on like these: grown once, most never grow again.
    const expected = Math.ceil((ring.length + size) / (ring.count + 1)) * (MESSAGES_MAX + SLACK);
    const larger = Math.min(share, ring.count === 0 ? Math.max(RING_MIN, size) : expected);
    if (full && larger > capacity && ring.count < MESSAGES_MAX + SLACK) this.#move(ring, 0, larger);
    if (ring.length + size <= ring.bytes.length && ring.count < MESSAGES_MAX + SLACK) return ring.length;
    // A quarter at least, so that most messages move nothing.
    const most = Math.min(share, capacity);
    const from = this.#keep(ring, MESSAGES_MAX, Math.min(most - size, most * 0.75));
    this.#move(ring, from, Math.max(size, Math.min(share, ring.bytes.length)));
    return ring.length;
  }

  /** Where the newest records begin that are at most `count` and at most `bytes` in all. */
  #keep(ring: RawRing, count: number, bytes: number): number {
    let at = 0;
    for (let left = ring.count; at < ring.length; left--) {
      if (left <= count && ring.length - at <= bytes) break;
      at += sizeAt(ring.bytes, at);
    }
    return at;
  }

  /** Keeps the records from `from` on, in a buffer of `capacity` bytes. */
  #move(ring: RawRing, from: number, capacity: number): void {
    for (let at = 0; at < from; at += sizeAt(ring.bytes, at)) ring.count--;
    const { bytes, length } = ring;
    ring.length -= from;
    if (capacity === bytes.length) {
      bytes.copyWithin(0, from, length);
      return;
    }
    ring.bytes = Buffer.allocUnsafeSlow(capacity);
    bytes.copy(ring.bytes, 0, from, length);
    this.#bytes += capacity - bytes.length;
    if (this.#bytes > ALL_BYTES_MAX) this.#shrink(ring);
  }

  /**
   * Rings filled while there were fewer devices give back what is beyond the share of today, and a quarter more, but for their last
   * message: a few at a time, so that nobody has to wait for all of them.
   */
  #shrink(growing: RawRing): void {
    const share = Math.floor(ALL_BYTES_MAX / this.#rings.size);
    for (let passed = 0; passed < ROUND_MAX && this.#bytes > ALL_BYTES_MAX; passed++) {
      const ring = this.#nextRing();
      if (ring === growing || ring.bytes.length <= share) continue;
      const from = Math.min(this.#keep(ring, MESSAGES_MAX, share * 0.75), lastOf(ring));
      const before = ring.bytes.length;
      for (let at = 0; at < from; at += sizeAt(ring.bytes, at)) ring.count--;
      const bytes = Buffer.allocUnsafeSlow(Math.max(Math.floor(share * 0.75), ring.length - from));
      ring.length = ring.bytes.copy(bytes, 0, from, ring.length);
      ring.bytes = bytes;
      this.#bytes += bytes.length - before;
    }
  }

  #nextRing(): RawRing {
    const { value } = this.#round.next();
    if (value) return value;
    this.#round = this.#rings.values();
    return this.#nextRing();
  }
}

function lastOf({ bytes, length }: RawRing): number {
  let last = 0;
  for (let at = 0; at < length; at += sizeAt(bytes, at)) last = at;
  return last;
}

function sizeAt(bytes: Buffer, at: number): number {
  return HEAD + bytes[at]! + (bytes[at + 1]! << 8) + bytes[at + 2]! + (bytes[at + 3]! << 8);
}

function isForeign(topic: string): boolean {
  return topic.includes('/') && topic !== 'command/reply';
}

/** A payload that was cut may end within a character. */
function textOf(payload: Buffer): string | null {
  for (let cut = 0; cut < 4; cut++) {
    const part = payload.subarray(0, payload.length - cut);
    if (isUtf8(part)) return part.toString('utf8');
    if (payload.length < PAYLOAD_MAX) return null;
  }
  return null;
}
