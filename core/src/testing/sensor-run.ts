import type { Metric } from '../model/metrics.ts';
import { isThresholdRule } from '../model/rule.ts';
import { chinaHour, seeded } from '../sensors/index.ts';
import type { Disturbance, SensorKind } from '../sensors/sensor.ts';

export interface SensorRun {
  kind: SensorKind;
  seed: number;
  /** ms UTC of the first sample. */
  from: number;
  seconds: number;
  /** Seconds between samples; the kind's own interval when left out. */
  step?: number;
  /** Disturbance at a number of seconds into the run. */
  disturbance?: (seconds: number) => Disturbance;
  onSample?: (values: Partial<Record<Metric, number>>, seconds: number) => void;
}

/** What happened in a run: first time (s) each preset was raised and each event declared. */
export interface SensorOutcome {
  raised: Map<string, number>;
  events: Map<string, number>;
}

/** Run one simulated device in no time and judge its readings by a plain reading of its kind's threshold presets. */
export function runSensor(run: SensorRun): SensorOutcome {
  const { kind, seed, from, seconds } = run;
  const random = seeded(seed);
  const device = kind.simulate(random);
  const step = run.step ?? kind.intervalMs / 1000;
  const thresholds = kind.rules.filter(isThresholdRule);
  const beyondSince = new Map<string, number>();
  const raised = new Map<string, number>();
  const events = new Map<string, number>();
  for (let at = 0; at <= seconds; at += step) {
    const time = from + at * 1000;
    const input = { time, hour: chinaHour(time), dt: step, random, disturbance: run.disturbance?.(at) ?? {} };
    const values = device.sample(input);
    const declared = device.event(input);
    if (declared && !events.has(declared.event)) events.set(declared.event, at);
    for (const rule of thresholds) {
      const value = values[rule.metric as Metric];
      if (value === undefined) continue;
      const beyond = rule.direction === 'above' ? value > rule.limit : value < rule.limit;
      if (!beyond) beyondSince.delete(rule.id);
      else {
        const since = beyondSince.get(rule.id) ?? at;
        beyondSince.set(rule.id, since);
        if ((at - since) * 1000 >= rule.forMs && !raised.has(rule.id)) raised.set(rule.id, at);
      }
    }
    run.onSample?.(values, at);
  }
  return { raised, events };
}
