import { deviceTopic, type RawMessage, type UpChannel } from '@smart-fire/core';

/** Messages kept per device, and bytes: per device, and of all devices together. */
const MESSAGES_MAX = 50;
/** Messages beyond them before the oldest are dropped together. */
const SLACK = 16;
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

/** The messages of one device, oldest first. */
export interface RawRing {
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
  readonly #rings = new Set<RawRing>();
  #bytes = 0;

  /** Adds to `ring`, or to a new one when the device has none; returns it. */
  add(
    ring: RawRing | null,
    topic: UpChannel | string,
    receivedAt: number,
    qos: number,
    outcome: string,
    { payload, encoding }: ReturnType<typeof readable>,
  ): RawRing {
    const kept = ring ?? this.#open();
    const bytes = payload.length + OVERHEAD;
    kept.messages.push({ receivedAt, topic, payload, encoding, qos, outcome, bytes });
    kept.bytes += bytes;
    this.#bytes += bytes;
    const share = Math.min(DEVICE_BYTES_MAX, ALL_BYTES_MAX / this.#rings.size);
    // A little more is dropped than must be, so that most messages drop nothing.
    if (kept.messages.length >= MESSAGES_MAX + SLACK) this.#trim(kept, MESSAGES_MAX, share);
    else if (kept.bytes > share) this.#trim(kept, MESSAGES_MAX, share * 0.8);
    // Rings filled while there were fewer devices give back what is beyond the share of today.
    if (this.#bytes > ALL_BYTES_MAX) for (const other of this.#rings) this.#trim(other, MESSAGES_MAX, share * 0.8);
    return kept;
  }

  /** Newest first, at most 50. */
  of(device: string, ring: RawRing | null | undefined): RawMessage[] {
    const messages = ring?.messages.slice(-MESSAGES_MAX) ?? [];
    return messages.reverse().map(({ bytes: _, topic, ...message }) => ({
      ...message,
      topic: topic.includes('/') && topic !== 'command/reply' ? topic : deviceTopic(device, topic as UpChannel),
    }));
  }

  forget(ring: RawRing): void {
    this.#bytes -= ring.bytes;
    this.#rings.delete(ring);
  }

  #open(): RawRing {
    const ring = { messages: [], bytes: 0 };
    this.#rings.add(ring);
    return ring;
  }

  /** Drops the oldest beyond the bounds, never the last one. */
  #trim(ring: RawRing, messagesMax: number, bytesMax: number): void {
    let drop = 0;
    let freed = 0;
    while (drop < ring.messages.length - 1) {
      if (ring.messages.length - drop <= messagesMax && ring.bytes - freed <= bytesMax) break;
      freed += ring.messages[drop++]!.bytes;
    }
    if (drop === 0) return;
    ring.messages = ring.messages.slice(drop);
    ring.bytes -= freed;
    this.#bytes -= freed;
  }
}
