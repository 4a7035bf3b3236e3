import type { InboundMessage, Intake } from '@smart-fire/core';
import { Gauge, Histogram, type MetricsRegistry } from '@smart-fire/core/node';
import type { Connection, Held, Pulse } from './connection.ts';
import type { Refusals } from './refusals.ts';

/** Holds acknowledgements until what they acknowledge is durable. */
export interface Hold {
  /** Hands a message in and releases it when committed, in the order of PUBLISH [MQTT-4.6.0-2]; with an error it is never acknowledged. */
  commit(connection: Connection, message: InboundMessage, release: Held['release']): void;
  /** Releases at once, but not before what came earlier on this connection. */
  queue(connection: Connection, release: Held['release']): void;
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
    help: 'From the arrival of a message to its commit',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5],
    registers: [metrics],
  });

  const settle = ({ held }: Connection): void => {
    while (held.length > 0 && held[0]!.answer !== undefined) {
      const { release, answer } = held.shift()!;
      release(answer!);
    }
  };

  return {
    commit(connection, message, release) {
      const entry: Held = { release, answer: undefined, since: pulse.now };
      const end = seconds.startTimer();
      connection.held.push(entry);
      count++;
      intake.accept(message, (error) => {
        if (entry.answer !== undefined) return;
        count--;
        end();
        entry.answer = error;
        if (error) {
          const { device, topic } = message;
          refusals.note({ reason: 'not-committed', device, remote: connection.remote, topic, detail: error.message });
        }
        settle(connection);
      });
    },
    queue(connection, release) {
      if (connection.held.length === 0) release(null);
      else connection.held.push({ release, answer: null, since: pulse.now });
    },
    count: () => count,
  };
}
