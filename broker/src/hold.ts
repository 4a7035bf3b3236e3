import type { InboundMessage, Intake, Waiter } from '@smart-fire/core';
import { Gauge, Histogram, type MetricsRegistry } from '@smart-fire/core/node';
import type { Connection, Held, Pulse } from './connection.ts';
import type { Refusals } from './refusals.ts';

/** Timing each would cost more than the path it times. */
const TIMED_EVERY = 64;

/** Waits for what nobody waits for: QoS 0. */
export const NOBODY: Waiter = { settled() {} };

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

  /** What a connection holds of one message, and who waits for its commit. */
  class HeldMessage implements Held, Waiter {
    readonly release: Held['release'];
    readonly packetId: number;
    readonly since = pulse.now;
    answer: Error | null | undefined = undefined;
    readonly #connection: Connection;
    readonly #device: string;
    readonly #topic: string;
    readonly #timed = timing();

    // The message itself is its owner's again when it has been handed in.
    constructor(connection: Connection, { device, topic, packetId }: InboundMessage, release: Held['release']) {
      this.release = release;
      this.packetId = packetId;
      this.#connection = connection;
      this.#device = device;
      this.#topic = topic;
    }

    settled(error: Error | null): void {
      if (this.answer !== undefined) return;
      count--;
      this.#timed?.();
      this.answer = error;
      if (error) {
        const { remote } = this.#connection;
        const { message: detail } = error;
        refusals.note({ reason: 'not-committed', device: this.#device, remote, topic: this.#topic, detail });
      }
      settle(this.#connection);
    }
  }

  /** One message in this many is timed. */
  let untilTimed = 0;
  const timing = (): (() => void) | null => {
    if (untilTimed-- > 0) return null;
    untilTimed = TIMED_EVERY - 1;
    return seconds.startTimer();
  };

  /** Without `release` the connection itself writes the PUBACK. */
  const hand = (connection: Connection, message: InboundMessage, release: Held['release']): void => {
    const held = new HeldMessage(connection, message, release);
    connection.held.push(held);
    count++;
    intake.accept(message, held);
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
