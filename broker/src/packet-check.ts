import { isUtf8 } from 'node:buffer';
import { PACKET } from './framing.ts';

/** Deeper topics are refused: the matcher behind is recursive, and ours have five levels at most. */
export const TOPIC_LEVELS_MAX = 12;

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

/**
 * What is wrong with a topic (or, with `filter`, a topic filter), or null. UTF-8 must be well-formed and hold no U+0000
 * [MQTT-1.5.3-1, 1.5.3-2]; wildcards stand alone in their level, `#` in the last [MQTT-4.7.1-2, 4.7.1-3], and in filters only [MQTT-3.3.2-2].
 */
export function topicFault(bytes: Buffer, from: number, to: number, filter: boolean): string | null {
  if (to <= from) return 'empty topic';
  let levels = 1;
  let ascii = true;
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!;
    if (byte === SLASH) levels++;
    else if (byte === PLUS || byte === HASH) {
      if (!filter) return 'wildcard in a topic';
      const alone = (at === from || bytes[at - 1] === SLASH) && (at + 1 === to || bytes[at + 1] === SLASH);
      if (!alone || (byte === HASH && at + 1 !== to)) return 'misplaced wildcard';
    } else if (byte === 0) return 'U+0000 in a topic';
    else if (byte >= 0x80) ascii = false;
  }
  if (levels > TOPIC_LEVELS_MAX) return `more than ${TOPIC_LEVELS_MAX} topic levels`;
  return ascii || isUtf8(bytes.subarray(from, to)) ? null : 'ill-formed UTF-8';
}

/** End of the length-prefixed field at `at`, or -1 when the packet ends before it. */
function fieldEnd(bytes: Buffer, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const after = at + 2 + bytes.readUInt16BE(at);
  return after > end ? -1 : after;
}

/** Where a PUBLISH's topic ends, or -1. It starts two bytes into the body. */
export function publishTopicEnd(bytes: Buffer, bodyAt: number, end: number): number {
  return fieldEnd(bytes, bodyAt, end);
}

/** What is wrong with a packet of a connected client, or null. Only what the parser behind lets pass is looked at. */
export function packetFault(bytes: Buffer, start: number, bodyAt: number, end: number): string | null {
  const type = bytes[start]! >> 4;
  if (type === PACKET.publish) {
    const topicEnd = publishTopicEnd(bytes, bodyAt, end);
    if (topicEnd < 0) return 'topic longer than its packet';
    if ((bytes[start]! & 0x06) !== 0) {
      if (topicEnd + 2 > end) return 'no packet identifier';
      // [MQTT-2.3.1-1]
      if (bytes.readUInt16BE(topicEnd) === 0) return 'packet identifier 0';
    }
    return topicFault(bytes, bodyAt + 2, topicEnd, false);
  }
  if (type === PACKET.subscribe || type === PACKET.unsubscribe) {
    if (bodyAt + 2 > end || bytes.readUInt16BE(bodyAt) === 0) return 'packet identifier 0';
    let at = bodyAt + 2;
    if (at === end) return 'no topic filter'; // [MQTT-3.8.3-3, 3.10.3-2]
    while (at < end) {
      const filterEnd = fieldEnd(bytes, at, end);
      if (filterEnd < 0) return 'topic filter longer than its packet';
      const fault = topicFault(bytes, at + 2, filterEnd, true);
      if (fault) return fault;
      at = type === PACKET.subscribe ? filterEnd + 1 : filterEnd;
    }
    return at === end ? null : 'no requested QoS';
  }
  if (type >= PACKET.puback && type <= PACKET.pubcomp) return end - bodyAt === 2 ? null : 'wrong length';
  if (type === PACKET.pingreq || type === PACKET.disconnect) return end === bodyAt ? null : 'wrong length';
  return 'a packet only servers send';
}

/** What a CONNECT says before anybody looks further. */
export type ConnectCheck =
  | { fault: string }
  /** A protocol this broker does not speak: answered with CONNACK code 1 [MQTT-3.1.2-2]. */
  | { fault: null; unsupported: true }
  | { fault: null; unsupported: false; keepaliveMs: number; emptyIdKept: boolean };

/** Checks a CONNECT's strings and flags; `emptyIdKept` = no client id although the session shall be kept [MQTT-3.1.3-8]. */
export function checkConnect(bytes: Buffer, start: number, bodyAt: number, end: number): ConnectCheck {
  if ((bytes[start]! & 0x0f) !== 0) return { fault: 'reserved flags' };
  const nameEnd = fieldEnd(bytes, bodyAt, end);
  if (nameEnd < 0 || nameEnd + 4 > end) return { fault: 'CONNECT too short' };
  const name = bytes.toString('latin1', bodyAt + 2, nameEnd);
  if (name !== 'MQTT' && name !== 'MQIsdp') return { fault: 'no MQTT protocol name' };
  // The high bit marks a bridge, a convention of older brokers.
  const level = bytes[nameEnd]! & 0x7f;
  if (level !== (name === 'MQTT' ? 4 : 3)) return { fault: null, unsupported: true };
  const flags = bytes[nameEnd + 1]!;
  const clean = (flags & 0x02) !== 0;
  const will = (flags & 0x04) !== 0;
  const username = (flags & 0x80) !== 0;
  const password = (flags & 0x40) !== 0;
  if ((flags & 0x01) !== 0) return { fault: 'reserved CONNECT flag' };
  if (!will && (flags & 0x38) !== 0) return { fault: 'will flags without a will' };
  if ((flags & 0x18) === 0x18) return { fault: 'will QoS 3' };
  if (password && !username) return { fault: 'password without user name' }; // [MQTT-3.1.2-22]
  let at = nameEnd + 4;
  const string = (): { from: number; to: number } | null => {
    const from = at + 2;
    const to = fieldEnd(bytes, at, end);
    at = to < 0 ? end + 1 : to;
    return to < 0 ? null : { from, to };
  };
  const readable = (field: { from: number; to: number }): boolean => {
    const text = bytes.subarray(field.from, field.to);
    return !text.includes(0) && isUtf8(text);
  };
  const id = string();
  if (!id || !readable(id)) return { fault: 'client id' };
  if (will) {
    const topic = string();
    const fault = topic ? topicFault(bytes, topic.from, topic.to, false) : 'will topic longer than its packet';
    if (fault) return { fault: `will: ${fault}` };
    if (!string()) return { fault: 'will payload longer than its packet' };
  }
  if (username) {
    const field = string();
    if (!field || !readable(field)) return { fault: 'user name' };
  }
  if (password && !string()) return { fault: 'password longer than its packet' };
  if (at !== end) return { fault: 'CONNECT longer than its fields' };
  const keepaliveMs = bytes.readUInt16BE(nameEnd + 2) * 1000;
  return { fault: null, unsupported: false, keepaliveMs, emptyIdKept: id.from === id.to && !clean };
}
