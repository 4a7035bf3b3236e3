import type { Clock, Timer } from '@smart-fire/core';
import type { Connection, EndReason, Pulse, Screen } from './connection.ts';
import type { FastPath } from './fast-path.ts';
import { PACKET } from './framing.ts';
import { overdue, SWEEP_MS } from './limits.ts';
import { checkConnect, packetFault, publishTopicEnd } from './packet-check.ts';
import type { RefusalReason, Refusals } from './refusals.ts';

/** A stranger may make us keep this much: a CONNECT with a will fits in. */
const CONNECT_MAX = 16 * 1024;
const PINGRESP = Buffer.from([0xd0, 0]);
const CONNACK_UNSUPPORTED = Buffer.from([0x20, 2, 0, 1]);
const NO_CONNECT = 'the first packet is no CONNECT';
const EVENT = Buffer.from('/event');
/** Most PUBLISH taken in one turn of the loop, in readings on the fast path: some ms. Others cost as much as so many of them. */
const TURN_MAX = 4000;
const COST = { telemetry: 1, event: 64, aedes: 16 } as const;

/** Ends that count as a refusal. */
const REFUSAL: Partial<Record<EndReason, RefusalReason>> = {
  'no-connect': 'no-connect',
  'hold-too-long': 'hold-too-long',
  'slow-reader': 'slow-reader',
  'over-rate': 'rate',
};

export interface Guard extends Screen {
  readonly connections: ReadonlySet<Connection>;
  /** Watches a new connection; false when there are too many, and then it is gone. */
  admit(connection: Connection): boolean;
  /** The client has its CONNACK: what it sent meanwhile is taken up. */
  ready(connection: Connection): void;
  start(): void;
  stop(): void;
}

export interface GuardDeps {
  clock: Clock;
  pulse: Pulse;
  refusals: Refusals;
  maxPacket: number;
  maxConnections: number;
  fastPath: FastPath;
  /** The first packet is a sound CONNECT: give the connection to the broker. */
  opened(connection: Connection): void;
  ended(connection: Connection, reason: EndReason): void;
}

/** Everything that is decided before Aedes sees a byte: packet sizes and sense, who connects in time, keepalive, rate. */
export function createGuard(deps: GuardDeps): Guard {
  const { clock, pulse, refusals, fastPath } = deps;
  const connections = new Set<Connection>();
  let sweeping: Timer | null = null;
  let lastSweep = 0;

  const refuse = (connection: Connection, reason: RefusalReason, detail: string): 'stop' => {
    refusals.note({ reason, device: connection.device?.id ?? null, remote: connection.remote, detail });
    connection.cut('refused');
    return 'stop';
  };

  const connect = (connection: Connection, bytes: Buffer, start: number, bodyAt: number, end: number) => {
    if (bytes[start]! >> 4 !== PACKET.connect) return refuse(connection, 'malformed', NO_CONNECT); // [MQTT-3.1.0-1]
    const check = checkConnect(bytes, start, bodyAt, end);
    if (check.fault !== null) return refuse(connection, 'malformed', check.fault);
    if (check.unsupported) {
      connection.transport.write(CONNACK_UNSUPPORTED);
      return refuse(connection, 'protocol-version', 'only MQTT 3.1 and 3.1.1');
    }
    connection.state = 'connecting';
    connection.keepaliveMs = check.keepaliveMs;
    if (check.emptyIdKept) connection.refuseWith = 2;
    deps.opened(connection);
    return 'pass';
  };

  const isEvent = (bytes: Buffer, bodyAt: number, end: number): boolean => {
    const topicEnd = publishTopicEnd(bytes, bodyAt, end);
    return bytes.subarray(topicEnd - EVENT.length, topicEnd).equals(EVENT);
  };

  /** True when the connection has spent its rate: it goes on by itself when it has some again. */
  const overRate = (connection: Connection): boolean => {
    const { budget } = connection;
    const wait = budget ? budget.take(connection.readAt) : 0;
    if (wait > 0) {
      connection.overSince ??= pulse.now;
      clock.setTimeout(() => connection.proceed(), wait);
      return true;
    }
    if (connection.overSince !== null && budget?.relaxed) connection.overSince = null;
    return false;
  };

  let spent = 0;
  const nextTurn: Connection[] = [];

  /** True when this turn of the loop has done its share, when all devices report at once: the connection goes on in the next one. */
  const turnSpent = (connection: Connection, cost: number): boolean => {
    if (spent >= TURN_MAX) {
      nextTurn.push(connection);
      return true;
    }
    if (spent === 0)
      setImmediate(() => {
        spent = 0;
        for (const one of nextTurn.splice(0)) one.proceed();
      });
    spent += cost;
    return false;
  };

  const sweep = (): void => {
    const now = clock.now();
    // A suspended process or a clock set forward is no silence of the clients.
    pulse.now += Math.min(Math.max(0, now - lastSweep), 2 * SWEEP_MS);
    lastSweep = now;
    for (const connection of connections) {
      const reason = overdue(connection, pulse);
      if (reason) connection.cut(reason);
    }
  };

  return {
    connections,

    admit(connection) {
      connections.add(connection);
      if (connections.size <= deps.maxConnections) return true;
      refuse(connection, 'connections', `more than ${deps.maxConnections} (MQTT_MAX_CONNECTIONS)`);
      return false;
    },

    ready(connection) {
      connection.state = 'ready';
      connection.heardAt = pulse.now;
      connection.proceed();
    },

    limit(connection, type) {
      if (connection.state !== 'new') return deps.maxPacket;
      return type === PACKET.connect ? Math.min(CONNECT_MAX, deps.maxPacket) : -1;
    },

    packet(connection, bytes, start, bodyAt, end) {
      if (connection.state === 'new') return connect(connection, bytes, start, bodyAt, end);
      // Aedes keeps few packets sent before CONNACK and closes on more.
      if (connection.state === 'connecting') return 'wait';
      const type = bytes[start]! >> 4;
      if (type === PACKET.publish) {
        const route = fastPath.route(connection, bytes, start, bodyAt, end);
        if (route) {
          // Not past what Aedes still works on: acknowledgements go out in the order of PUBLISH [MQTT-4.6.0-2].
          if (connection.withAedes > 0 || turnSpent(connection, COST[route.channel])) return 'wait';
          // What a device declares is never held back for its rate.
          if (route.channel !== 'event' && overRate(connection)) return 'wait';
          fastPath.take(connection, route, bytes, start, bodyAt, end);
          return 'taken';
        }
      }
      const fault = packetFault(bytes, start, bodyAt, end);
      if (fault) return refuse(connection, 'malformed', fault);
      if (type === PACKET.pingreq) {
        // Answered here: Aedes reads nothing more of a socket while packets of one read are held.
        connection.write(PINGRESP);
        return 'taken';
      }
      if (type === PACKET.publish || type === PACKET.subscribe || type === PACKET.unsubscribe) {
        const exempt = type === PACKET.publish && isEvent(bytes, bodyAt, end);
        if (turnSpent(connection, COST.aedes) || (!exempt && overRate(connection))) return 'wait';
        if (type !== PACKET.unsubscribe) connection.withAedes++;
      }
      return 'pass';
    },

    oversize(connection, type, length, body) {
      const { device, remote } = connection;
      const limit = this.limit(connection, type);
      if (limit < 0) {
        refuse(connection, 'malformed', NO_CONNECT);
        return;
      }
      const detail = `${length} bytes, at most ${limit}${limit === deps.maxPacket ? ' (MQTT_MAX_PACKET)' : ''}`;
      const topicEnd = type === PACKET.publish ? publishTopicEnd(body, 0, body.length) : -1;
      const topic = topicEnd > 0 ? body.toString('utf8', 2, topicEnd) : '';
      refusals.message({ reason: 'oversize', device: device?.id ?? null, remote, topic, detail });
      connection.cut('refused');
    },

    malformed(connection, what) {
      refuse(connection, 'malformed', what);
    },

    closed(connection) {
      connections.delete(connection);
      const reason = connection.endReason ?? 'disconnected';
      const refusal = REFUSAL[reason];
      if (refusal) refusals.note({ reason: refusal, device: connection.device?.id ?? null, remote: connection.remote });
      deps.ended(connection, reason);
    },

    start() {
      lastSweep = clock.now();
      sweeping = clock.setInterval(sweep, SWEEP_MS);
    },

    stop() {
      sweeping?.cancel();
      for (const connection of connections) connection.cut('stopped');
    },
  };
}
