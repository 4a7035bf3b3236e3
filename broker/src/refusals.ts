import type { Clock, Intake } from '@smart-fire/core';
import { Counter, type Logger, type MetricsRegistry } from '@smart-fire/core/node';

/** Why something was refused; the label of the counter. */
export type RefusalReason =
  | 'credentials'
  | 'disabled'
  | 'not-accepting'
  | 'client-id'
  | 'foreign-topic'
  | 'foreign-filter'
  | 'oversize'
  | 'malformed'
  | 'protocol-version'
  | 'rate'
  | 'connections'
  | 'no-connect'
  | 'hold-too-long'
  | 'slow-reader'
  | 'not-committed';

interface Refusal {
  reason: RefusalReason;
  /** The registered device concerned; null for a stranger. */
  device: string | null;
  remote: string;
  topic?: string;
  detail?: string;
}

const MINUTE_MS = 60_000;

/** Counts every refusal and says so in the log once for each device (strangers: each address) and minute. */
export interface Refusals {
  note(refusal: Refusal): void;
  /** A message that was not taken: noted, and kept where its device's owner can see it. */
  message(refusal: Refusal & { topic: string }): void;
  tidy(): void;
}

/** Addresses of strangers remembered for the log at once; more share one line. */
const STRANGERS_MAX = 10_000;

export function createRefusals(deps: {
  intake: Intake;
  clock: Clock;
  log: Logger;
  metrics: MetricsRegistry;
}): Refusals {
  const { intake, clock, log, metrics } = deps;
  const counter = new Counter({
    name: 'smartfire_mqtt_refusals_total',
    help: 'Connections, log-ins, messages and filters refused',
    labelNames: ['reason'],
    registers: [metrics],
  });
  /** Until when a device or address has had its line, and what was left out since. */
  const quiet = new Map<string, { until: number; more: number }>();

  const note = (refusal: Refusal): void => {
    counter.inc({ reason: refusal.reason });
    const known = refusal.device ?? `@${refusal.remote}`;
    const key = quiet.size < STRANGERS_MAX || quiet.has(known) || refusal.device ? known : '@';
    const now = clock.now();
    const line = quiet.get(key);
    if (line && now < line.until && line.until - now <= MINUTE_MS) {
      line.more++;
      return;
    }
    quiet.set(key, { until: now + MINUTE_MS, more: 0 });
    const { device, remote, reason, topic, detail } = refusal;
    log.warn({ device, remote, reason, topic: topic?.slice(0, 200), detail, before: line?.more ?? 0 }, 'MQTT refused');
  };

  return {
    note,
    message(refusal) {
      note(refusal);
      intake.refuse(refusal.device, refusal.topic, refusal.reason);
    },
    tidy() {
      const now = clock.now();
      for (const [key, line] of quiet) if (now >= line.until) quiet.delete(key);
    },
  };
}
