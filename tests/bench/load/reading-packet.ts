import { deviceTopic } from '@smart-fire/core';
import { publishSize, writePublish } from '@smart-fire/simulators';

const TIME_DIGITS = 13;
const SEQ_DIGITS = 10;
/** Numbers of a message of ten digits, so that every packet of a device has one length. */
const FIRST_SEQ = 1_000_000_000;

/**
 * QoS 1 PUBLISH packets of one device and metric, made once and patched in place: packet id, `ts`, `seq` and value.
 * The payload is `{"ts":1764000000000,"seq":1000000001,"values":{"co":5.3}}`.
 */
export class ReadingPacket {
  readonly size: number;
  readonly payloadSize: number;
  readonly #bytes: Buffer;
  readonly #idAt: number;
  readonly #timeAt: number;
  readonly #seqAt: number;
  readonly #valueAt: number;

  /** `value` is the pattern of the value: as many characters as every value has. */
  constructor(device: string, metric: string, value: string) {
    const topic = Buffer.from(deviceTopic(device, 'telemetry'));
    const payload = `{"ts":${'0'.repeat(TIME_DIGITS)},"seq":${FIRST_SEQ},"values":{"${metric}":${value}}}`;
    this.payloadSize = payload.length;
    this.size = publishSize(topic, payload);
    this.#bytes = Buffer.alloc(this.size);
    writePublish(this.#bytes, 0, topic, 0, payload, false);
    const at = this.size - payload.length;
    this.#idAt = at - 2;
    this.#timeAt = at + '{"ts":'.length;
    this.#seqAt = this.#timeAt + TIME_DIGITS + ',"seq":'.length;
    this.#valueAt = this.#seqAt + SEQ_DIGITS + `,"values":{"${metric}":`.length;
  }

  /** Writes a packet at `offset`. `tenths` is the value in tenths (pattern `0.0`) or the value itself (pattern `00`). */
  write(into: Buffer, offset: number, id: number, ts: number, seq: number, tenths: number): void {
    into.set(this.#bytes, offset);
    into[offset + this.#idAt] = id >> 8;
    into[offset + this.#idAt + 1] = id & 255;
    const high = Math.floor(ts / 1_000_000);
    digits(into, offset + this.#timeAt, high, TIME_DIGITS - 6);
    digits(into, offset + this.#timeAt + TIME_DIGITS - 6, ts - high * 1_000_000, 6);
    digits(into, offset + this.#seqAt, FIRST_SEQ + seq, SEQ_DIGITS);
    const first = offset + this.#valueAt;
    into[first] = ZERO + ((tenths / 10) | 0);
    into[into[first + 1] === POINT ? first + 2 : first + 1] = ZERO + (tenths % 10);
  }
}

const ZERO = 48;
const POINT = 46;

function digits(into: Buffer, at: number, value: number, count: number): void {
  let rest = value;
  for (let digit = at + count - 1; digit >= at; digit--) {
    const next = (rest / 10) | 0;
    into[digit] = ZERO + (rest - next * 10);
    rest = next;
  }
}
