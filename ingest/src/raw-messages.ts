import { deviceTopic, type RawMessage, type UpChannel } from '@smart-fire/core';

/** Messages kept per device, and bytes: per device, and of all devices together. */
const MESSAGES_MAX = 50;
const DEVICE_BYTES_MAX = 8 * 1024;
const ALL_BYTES_MAX = 64 * 1024 ** 2;
/** Longest payload kept. */
const PAYLOAD_MAX = 2048;
/** What a kept message costs beside its payload, roughly. */
const OVERHEAD = 112;

interface Kept {
  receivedAt: number;
  /** The channel, or the whole topic of a message that was refused for it. */
  topic: UpChannel | string;
  payload: string;
  encoding: 'utf8' | 'base64';
  qos: number;
  outcome: string;
  bytes: number;
}

interface Ring {
  messages: Kept[];
  bytes: number;
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

/** The last 50 messages of each device as they came. Lost at a restart; what was in them is in the journal. */
export class RawMessages {
  readonly #rings = new Map<string, Ring>();
  #bytes = 0;

  add(
    device: string,
    topic: UpChannel | string,
    receivedAt: number,
    qos: number,
    outcome: string,
    content: ReturnType<typeof readable>,
  ): void {
    let ring = this.#rings.get(device);
    if (!ring) {
      ring = { messages: [], bytes: 0 };
      this.#rings.set(device, ring);
    }
    const bytes = content.payload.length + OVERHEAD;
    const { payload, encoding } = content;
    ring.messages.push({ receivedAt, topic, payload, encoding, qos, outcome, bytes });
    ring.bytes += bytes;
    this.#bytes += bytes;
    this.#trim(ring, Math.min(DEVICE_BYTES_MAX, ALL_BYTES_MAX / this.#rings.size));
    // Rings filled while there were fewer devices give back what is beyond the share of today.
    if (this.#bytes > ALL_BYTES_MAX)
      for (const other of this.#rings.values()) this.#trim(other, (ALL_BYTES_MAX / this.#rings.size) * 0.9);
  }

  /** Newest first. */
  of(device: string): RawMessage[] {
    const messages = this.#rings.get(device)?.messages ?? [];
    return messages.toReversed().map(({ bytes: _, topic, ...message }) => ({
      ...message,
      topic: topic.includes('/') && topic !== 'command/reply' ? topic : deviceTopic(device, topic as UpChannel),
    }));
  }

  forget(device: string): void {
    this.#bytes -= this.#rings.get(device)?.bytes ?? 0;
    this.#rings.delete(device);
  }

  #trim(ring: Ring, bytesMax: number): void {
    let drop = Math.max(0, ring.messages.length - MESSAGES_MAX);
    let freed = 0;
    for (let i = 0; i < drop; i++) freed += ring.messages[i]!.bytes;
    while (ring.bytes - freed > bytesMax && drop < ring.messages.length - 1) freed += ring.messages[drop++]!.bytes;
    if (drop === 0) return;
    ring.messages.splice(0, drop);
    ring.bytes -= freed;
    this.#bytes -= freed;
  }
}
