import { Counter, type MetricsRegistry } from '@smart-fire/core/node';

/** Messages handed to the intake since start, by channel: plain numbers, because a metric's own counter costs too much a message. */
export interface Publishes {
  telemetry: number;
  event: number;
  state: number;
  'command/reply': number;
  /** Of these, what never went through Aedes. */
  fast: number;
}

export function createPublishes(metrics: MetricsRegistry): Publishes {
  const publishes: Publishes = { telemetry: 0, event: 0, state: 0, 'command/reply': 0, fast: 0 };
  new Counter({
    name: 'smartfire_mqtt_publishes_total',
    help: 'Messages of devices handed to the intake',
    labelNames: ['channel'],
    registers: [metrics],
    collect() {
      this.reset();
      for (const channel of ['telemetry', 'event', 'state', 'command/reply'] as const)
        this.inc({ channel }, publishes[channel]);
    },
  });
  new Counter({
    name: 'smartfire_mqtt_fast_total',
    help: 'Those among them that took the fast path',
    registers: [metrics],
    collect() {
      this.reset();
      this.inc(publishes.fast);
    },
  });
  return publishes;
}
