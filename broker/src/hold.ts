import type { InboundMessage, Intake } from '@smart-fire/core';
import { Gauge, Histogram, type MetricsRegistry } from '@smart-fire/core/node';
import type { Connection, Held, Pulse } from './connection.ts';
import type { Refusals } from './refusals.ts';

/** Timing each would cost more than the path it times. */
const TIMED_EVERY = 64;

/** Holds acknowledgements until what they acknowledge is durable. */
export interface Hold {
  /** Hands a message in and releases it when committed, in the order of PUBLISH [MQTT-4.6.0-2]; with an error it is never acknowledged. */
  commit(connection: Connection, message: InboundMessage, release: NonNullable<Held['release']>): void;
  /** Hands in a QoS 1 message that Aedes never sees; its PUBACK goes out when it is committed, in the same order. */
  acknowledge(connection: Connection, message: InboundMessage): void;
  /** Releases at once, but not before what came earlier on this connection. */
  queue(connection: Connection, release: NonNullable<Held['release']>): void;
  /** Messages held now. */
  count(): number;
}

export function createHold(deps: { intake: Intake; pulse: Pulse; refusals: Refusals; metrics: MetricsRegistry }): Hold {
  const { intake, pulse, refusals, metrics } = deps;
  let count = 0;
  new Gauge({
    name: 'smartfire_mqtt_held',
    help: 'Messages received and not yet committed, so not yet acknowledged',
    registers: [metrics],
    collect() {
      this.set(count);
    },
  });
  const seconds = new Histogram({
    name: 'smartfire_mqtt_hold_seconds',
    help: `From the arrival of a message to its commit, of one message in ${TIMED_EVERY}`,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    registers: [metrics],
  });

  const settle = (connection: Connection): void => {
    const { held } = connection;
    while (held.length > 0 && held[0]!.answer !== undefined) {
      const { release, packetId, answer } = held.shift()!;
      if (release) release(answer!);
      else if (answer) connection.cut('not-committed');
      else connection.acknowledge(packetId);
    }
  };

  /** One message in this many is timed. */
  let untilTimed = 0;
  const timing = (): (() => void) | null => {
    if (untilTimed-- > 0) return null;
    untilTimed = TIMED_EVERY - 1;
    return seconds.startTimer();
  };

  /** Without `release` the connection itself writes the PUBACK. */
  const hand = (connection: Connection, message: InboundMessage, release: Held['release']): void => {
    // The message is the caller's again when `accept` returns.
    const { device, topic, packetId } = message;
    const entry: Held = { release, packetId, answer: undefined, since: pulse.now };
    const timed = timing();
    connection.held.push(entry);
    count++;
    intake.accept(message, (error) => {
      if (entry.answer !== undefined) return;
      count--;
      timed?.();
      entry.answer = error;
      if (error) {
        const { remote } = connection;
        refusals.note({ reason: 'not-committed', device, remote, topic, detail: error.message });
      }
      settle(connection);
    });
  };

  return {
    commit: hand,
    acknowledge: (connection, message) => hand(connection, message, null),
    queue(connection, release) {
      if (connection.held.length === 0) release(null);
      else connection.held.push({ release, packetId: 0, answer: null, since: pulse.now });
    },
    count: () => count,
  };
}
