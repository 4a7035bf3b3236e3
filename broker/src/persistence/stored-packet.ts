import { FireError } from '@smart-fire/core';

/** A packet as Aedes hands it to a persistence: a PUBLISH with its place in the broker's order, a PUBREL, or a will. */
export interface StoredPacket {
  cmd?: string;
  topic?: string;
  payload?: Buffer | string;
  qos?: number;
  retain?: boolean;
  dup?: boolean;
  messageId?: number | undefined;
  brokerId?: string;
  brokerCounter?: number;
  clientId?: string;
}

/** A copy of its own that nobody else changes; the packet identifier belongs to a delivery and is not copied [MQTT-2.3.1-1]. */
export function queuedCopy(packet: StoredPacket): StoredPacket {
  return {
    cmd: packet.cmd ?? 'publish',
    brokerId: packet.brokerId!,
    brokerCounter: packet.brokerCounter ?? 0,
    topic: packet.topic!,
    payload: packet.payload ?? Buffer.alloc(0),
    qos: packet.qos ?? 0,
    retain: packet.retain ?? false,
    dup: packet.dup ?? false,
    messageId: undefined,
  };
}

const FORMAT = 1;
const PREFIX = 5;

/** One byte of format version, four of the head's length, the head as JSON, then the payload as it is. */
export function encodePacket({ payload, ...head }: StoredPacket): Uint8Array {
  const json = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.alloc(PREFIX);
  prefix[0] = FORMAT;
  prefix.writeUInt32BE(json.length, 1);
  return Buffer.concat([prefix, json, Buffer.from(payload ?? '')]);
}

/** Throws FIRE_FORMAT_UNKNOWN for a blob of a version this program does not know. */
export function decodePacket(blob: Uint8Array, table: string): StoredPacket {
  const bytes = Buffer.from(blob);
  if (bytes[0] !== FORMAT)
    throw new FireError('FIRE_FORMAT_UNKNOWN', { file: `table ${table}`, found: bytes[0], known: FORMAT });
  const end = PREFIX + bytes.readUInt32BE(1);
  const packet = JSON.parse(bytes.toString('utf8', PREFIX, end)) as StoredPacket;
  // A PUBREL has no payload; everything else has one, if only an empty one.
  return packet.cmd === 'pubrel' ? packet : { ...packet, payload: bytes.subarray(end) };
}
