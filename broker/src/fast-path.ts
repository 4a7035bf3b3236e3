import type { InboundMessage, Intake, Registry } from '@smart-fire/core';
import type { Connection } from './connection.ts';
import { type Hold, NOBODY } from './hold.ts';
import type { Interest } from './interest.ts';
import type { Publishes } from './publishes.ts';
import type { Rights } from './rights.ts';

/** Routes a connection remembers at first and at most; a gateway with more children finds some of them anew. */
const ROUTES_MIN = 4;
const ROUTES_MAX = 1024;

/** A topic of readings or events this connection may publish on, known by its bytes. */
export interface Route {
  topic: string;
  bytes: Uint8Array;
  device: string;
  channel: 'telemetry' | 'event';
}

/** What a connection remembers of its routes: a table by a few bytes of the topic, good until any device changes. */
export interface Routes {
  table: (Route | null)[];
  epoch: number;
}

/**
 * Readings and events straight from the socket's bytes to the intake, without a packet, a topic match or a timer of Aedes. They are taken
 * only where nothing else could come of it: QoS 0 or 1, not retained, on the topic of a device the connection speaks for, which no client
 * has subscribed to. Everything else is Aedes' own, which hands in through the same hold; nothing depends on this path being on.
 * While readings are refused they go this way whatever they are: Aedes would wait for each, and an event behind it would not come in.
 */
export interface FastPath {
  /** The route of the PUBLISH bytes[start, end) whose body begins at `bodyAt`, or null: give it to Aedes. */
  route(connection: Connection, bytes: Buffer, start: number, bodyAt: number, end: number): Route | null;
  /** Hands it in; it is acknowledged when it is durable. */
  take(connection: Connection, route: Route, bytes: Buffer, start: number, bodyAt: number, end: number): void;
}

export interface FastPathDeps {
  intake: Intake;
  rights: Rights;
  registry: Registry;
  interest: Interest;
  hold: Hold;
  publishes: Publishes;
  /** Off: only what is refused is taken. */
  on: boolean;
}

export function createFastPath({ intake, rights, registry, interest, hold, publishes, on }: FastPathDeps): FastPath {
  let epoch = 0;
  registry.onChange(({ entity }) => {
    if (entity === 'device') epoch++;
  });
  const message: InboundMessage = {
    device: '',
    channel: 'telemetry',
    topic: '',
    bytes: Buffer.alloc(0),
    from: 0,
    to: 0,
    qos: 1,
    dup: false,
    packetId: 0,
    receivedAt: 0,
  };

  function resolve(connection: Connection, bytes: Buffer, from: number, to: number): Route | null {
    const topic = bytes.toString('latin1', from, to);
    const target = rights.publish(connection.user!, topic);
    if (!target || target === 'ordinary') return null;
    const { device, channel } = target;
    if (channel !== 'telemetry' && channel !== 'event') return null;
    if (registry.devices.get(device)?.disabled) return null;
    // A copy: the socket's buffer must not be kept for it.
    return { topic, bytes: Uint8Array.prototype.slice.call(bytes, from, to), device, channel };
  }

  function find(connection: Connection, bytes: Buffer, from: number, to: number): Route | null {
    let routes = connection.routes;
    if (routes === null || routes.epoch !== epoch) {
      routes = { table: new Array<Route | null>(ROUTES_MIN).fill(null), epoch };
      connection.routes = routes;
    }
    const known = at(routes, bytes, from, to);
    if (known !== null) return known;
    const route = resolve(connection, bytes, from, to);
    if (route !== null) remember(routes, route);
    return route;
  }

  return {
    route(connection, bytes, start, bodyAt, end) {
      const head = bytes[start]!;
      const qos = (head >> 1) & 3;
      // Retained, QoS 2 or 3, or a QoS 0 that claims to be a repeat.
      const plain = (head & 1) === 0 && qos <= 1 && (qos > 0 || (head & 8) === 0);
      if ((!on || !plain) && (qos === 3 || intake.accepting)) return null;
      if (bodyAt + 2 > end) return null;
      const topicAt = bodyAt + 2;
      const topicEnd = topicAt + (bytes[bodyAt]! << 8) + bytes[bodyAt + 1]!;
      if (topicEnd === topicAt || topicEnd + (qos > 0 ? 2 : 0) > end) return null;
      if (qos > 0 && bytes[topicEnd] === 0 && bytes[topicEnd + 1] === 0) return null;
      const route = find(connection, bytes, topicAt, topicEnd);
      if (route === null) return null;
      const ours = on && plain && !interest.in(route.device);
      if (ours && qos > 0) return route;
      // Nobody waits for a QoS 0 message; one that cannot be taken is Aedes' to drop and to count.
      if (intake.accepting) return ours ? route : null;
      return qos > 0 && route.channel === 'telemetry' ? route : null;
    },

    take(connection, route, bytes, start, bodyAt, end) {
      const head = bytes[start]!;
      const qos = ((head >> 1) & 3) as 0 | 1 | 2;
      const topicEnd = bodyAt + 2 + route.bytes.length;
      publishes[route.channel]++;
      publishes.fast++;
      message.device = route.device;
      message.channel = route.channel;
      message.topic = route.topic;
      message.bytes = bytes;
      message.from = qos === 0 ? topicEnd : topicEnd + 2;
      message.to = end;
      message.qos = qos;
      message.dup = (head & 8) !== 0;
      message.packetId = qos === 0 ? 0 : (bytes[topicEnd]! << 8) | bytes[topicEnd + 1]!;
      message.receivedAt = connection.readAt;
      if (qos === 0) intake.accept(message, NOBODY);
      else hold.acknowledge(connection, message);
    },
  };
}

/** The end of the topic without what all of a kind have in common: the end of the device id is what differs within one connection. */
function placeOf(bytes: Uint8Array, to: number, size: number): number {
  let hash = bytes[to - 1]!;
  for (let at = to - 7; at > to - 15; at--) hash = Math.imul(hash, 31) + bytes[at]!;
  return (hash ^ (hash >>> 11)) & (size - 1);
}

/** A route lies at its place or at that place's neighbour. */
function at({ table }: Routes, bytes: Uint8Array, from: number, to: number): Route | null {
  const place = placeOf(bytes, to, table.length);
  const first = table[place]!;
  if (first === null) return null;
  if (isTopic(first.bytes, bytes, from, to)) return first;
  const second = table[place ^ 1]!;
  return second !== null && isTopic(second.bytes, bytes, from, to) ? second : null;
}

function remember(routes: Routes, route: Route): void {
  while (!put(routes.table, route) && routes.table.length < ROUTES_MAX) {
    const old = routes.table;
    routes.table = new Array<Route | null>(old.length * 4).fill(null);
    for (const one of old) if (one !== null) put(routes.table, one);
  }
}

/** False when there was no room: then it has the place of another. */
function put(table: (Route | null)[], route: Route): boolean {
  const place = placeOf(route.bytes, route.bytes.length, table.length);
  const free = table[place] === null ? place : table[place ^ 1] === null ? place ^ 1 : -1;
  table[free < 0 ? place : free] = route;
  return free >= 0;
}

function isTopic(topic: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  const { length } = topic;
  if (length !== to - from) return false;
  // From the end, where topics differ.
  for (let i = length - 1; i >= 0; i--) if (topic[i] !== bytes[from + i]) return false;
  return true;
}
