/** The few MQTT 3.1.1 packets a publisher needs, written by hand: a general codec would cost more than the broker under test. */
export const PACKET = { connack: 0x20, puback: 0x40 } as const;
export const PINGREQ = Buffer.from([0xc0, 0]);
export const DISCONNECT = Buffer.from([0xe0, 0]);

function field(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** CONNECT with clean session, user name and password. */
export function connectPacket(clientId: string, username: string, password: string, keepalive: number): Buffer {
  const variable = Buffer.concat([
    field('MQTT'),
    Buffer.from([4, 0xc2, keepalive >> 8, keepalive & 0xff]),
    field(clientId),
    field(username),
    field(password),
  ]);
  const head = Buffer.alloc(1 + lengthSize(variable.length));
  head[0] = 0x10;
  writeLength(head, 1, variable.length);
  return Buffer.concat([head, variable]);
}

function lengthSize(length: number): number {
  return length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
}

function writeLength(buffer: Buffer, offset: number, length: number): number {
  let rest = length;
  let at = offset;
  do {
    const digit = rest & 0x7f;
    rest >>>= 7;
    buffer[at++] = rest > 0 ? digit | 0x80 : digit;
  } while (rest > 0);
  return at;
}

/** Bytes a QoS 1 PUBLISH takes. */
export function publishSize(topic: Buffer, payload: string): number {
  const length = 2 + topic.length + 2 + Buffer.byteLength(payload);
  return 1 + lengthSize(length) + length;
}

/** Write a QoS 1 PUBLISH at `offset`; returns the offset behind it. */
export function writePublish(
  buffer: Buffer,
  offset: number,
  topic: Buffer,
  packetId: number,
  payload: string,
  dup: boolean,
): number {
  buffer[offset] = dup ? 0x3a : 0x32;
  let at = writeLength(buffer, offset + 1, 2 + topic.length + 2 + Buffer.byteLength(payload));
  buffer[at++] = topic.length >> 8;
  buffer[at++] = topic.length & 0xff;
  buffer.set(topic, at);
  at += topic.length;
  buffer[at++] = packetId >> 8;
  buffer[at++] = packetId & 0xff;
  return at + buffer.write(payload, at);
}
