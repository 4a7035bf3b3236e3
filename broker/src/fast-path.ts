import type { InboundMessage, Intake, Registry } from '@smart-fire/core';
import type { Connection } from './connection.ts';
import { type Hold, NOBODY } from './hold.ts';
import type { Interest } from './interest.ts';
import type { Publishes } from './publishes.ts';
import type { Rights } from './rights.ts';

/** Routes a connection remembers at first and at most; a gateway with more children finds some of them anew. */
const ROUTES_MIN = 4;
const ROUTES_MAX = 1024;

/** The longest topic of a device, and its length in front of it. */
const CELL = 96;

/** A topic of readings or events this connection may publish on. */
export interface Route {
  topic: string;
  device: string;
  channel: 'telemetry' | 'event';
  /** See `InboundMessage.memo`. */
  known: unknown;
}

/**
 * What a connection remembers of its routes: a table by a few bytes of the topic, good until any device changes. The topics' bytes lie in
 * cells of one array: of ten thousand devices each look-up goes to memory that no cache holds, so it goes there once.
 */
export interface Routes {
  table: (Route | null)[];
  topics: Uint8Array;
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
    memo: null,
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
    if (to - from >= CELL) return null;
    const topic = bytes.toString('latin1', from, to);
    const target = rights.publish(connection.user!, topic);
    if (!target || target === 'ordinary') return null;
    const { device, channel } = target;
    if (channel !== 'telemetry' && channel !== 'event') return null;
    if (registry.devices.get(device)?.disabled) return null;
    return { topic, device, channel, known: null };
  }

  function find(connection: Connection, bytes: Buffer, from: number, to: number): Route | null {
    let routes = connection.routes;
    if (routes === null || routes.epoch !== epoch) {
      routes = { ...emptyTable(roomFor(registry.children(connection.user!).size)), epoch };
      connection.routes = routes;
    }
    const known = at(routes, bytes, from, to);
    if (known !== null) return known;
    const route = resolve(connection, bytes, from, to);
    if (route !== null) remember(routes, route, bytes, from);
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
      const topicEnd = bodyAt + 2 + route.topic.length;
      publishes[route.channel]++;
      publishes.fast++;
      message.device = route.device;
      message.memo = route;
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

/** Places for a device's own topics and those of its children, half of them free. */
function roomFor(children: number): number {
  return Math.min(ROUTES_MAX, Math.max(ROUTES_MIN, 2 ** Math.ceil(Math.log2(2 * (children + 1)))));
}

function emptyTable(size: number): Pick<Routes, 'table' | 'topics'> {
  return { table: new Array<Route | null>(size).fill(null), topics: new Uint8Array(size * CELL) };
}

/** The end of the topic without what all of a kind have in common: the end of the device id is what differs within one connection. */
function placeOf(bytes: Uint8Array, to: number, size: number): number {
  let hash = bytes[to - 1]!;
  for (let at = to - 7; at > to - 15; at--) hash = Math.imul(hash, 31) + bytes[at]!;
  return (hash ^ (hash >>> 11)) & (size - 1);
}

/** A route lies at its place or at that place's neighbour. */
function at({ table, topics }: Routes, bytes: Uint8Array, from: number, to: number): Route | null {
  const place = placeOf(bytes, to, table.length);
  if (isTopic(topics, place * CELL, bytes, from, to)) return table[place]!;
  return isTopic(topics, (place ^ 1) * CELL, bytes, from, to) ? table[place ^ 1]! : null;
}

function remember(routes: Routes, route: Route, bytes: Uint8Array, from: number): void {
  while (!put(routes, route, bytes, from) && routes.table.length < ROUTES_MAX) {
    const { table, topics } = routes;
    Object.assign(routes, emptyTable(table.length * 4));
    for (const [place, one] of table.entries()) if (one !== null) put(routes, one, topics, place * CELL + 1);
  }
}

/** Its topic begins at `bytes[from]`. False when there was no room: then it has the place of another. */
function put({ table, topics }: Routes, route: Route, bytes: Uint8Array, from: number): boolean {
  const { length } = route.topic;
  const place = placeOf(bytes, from + length, table.length);
  const free = table[place] === null ? place : table[place ^ 1] === null ? place ^ 1 : -1;
  const taken = free < 0 ? place : free;
  table[taken] = route;
  topics[taken * CELL] = length;
  topics.set(bytes.subarray(from, from + length), taken * CELL + 1);
  return free >= 0;
}

function isTopic(topics: Uint8Array, cell: number, bytes: Uint8Array, from: number, to: number): boolean {
  const length = to - from;
  if (length !== topics[cell]) return false;
  // From the end, where topics differ.
  const first = cell + 1;
  for (let i = length - 1; i >= 0; i--) if (topics[first + i] !== bytes[from + i]) return false;
  return true;
}
