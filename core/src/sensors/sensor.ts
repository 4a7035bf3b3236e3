import type { Metric } from '../model/metrics.ts';
import type { RuleDefinition } from '../model/rule.ts';

export type { AbsenceRule, RuleDefinition, Source, ThresholdRule, VerdictRule } from '../model/rule.ts';

/** What one metric of a sensor kind can be. */
export interface MetricSpec {
  metric: Metric;
  /** Physically possible; beyond it a value is flagged `implausible`. */
  valid: readonly [min: number, max: number];
  /** What the sensor is made to measure; beyond it a value is flagged `range`. */
  measuring: readonly [min: number, max: number];
}

/** Named disturbances the simulator can impose; a model reacts to those that concern it. */
export interface Disturbance {
  /** m: rate of heat release of a t² fire near the sensor, kW (0 = none). */
  fireKw?: number;
  /** Fraction of flaming (1) or smouldering (0). */
  flaming?: number;
  /** Fraction of nominal water pressure lost (0 to 1). */
  pressureLoss?: number;
  /** Load as a multiple of the rated current, on top of the daily rhythm. */
  overload?: number;
  /** mA added to the natural leakage. */
  leakageMa?: number;
  /** % of battery lost on top of ageing. */
  batteryLoss?: number;
  /** Pump is stopped. */
  pumpStopped?: boolean;
  /** Methane escaping into the room, L/s. */
  gasLeak?: number;
  /** Arcing half-waves per second at a loose joint. */
  arcing?: number;
}

export interface SimulationInput {
  /** ms UTC of the sample. */
  time: number;
  /** Hour of the local day, 0 to 24, with fraction. */
  hour: number;
  /** Seconds since the previous sample of this device. */
  dt: number;
  /** Uniform [0, 1), seeded per device. */
  random: () => number;
  disturbance: Disturbance;
}

/** One simulated device: keeps its physical state between samples. */
export interface SimulatedSensor {
  sample(input: SimulationInput): Partial<Record<Metric, number>>;
  /** What the device itself declares after that sample (its own verdict), if anything new. */
  event(input: SimulationInput): { event: string; detail?: string } | null;
}

/** A kind of sensor: everything the platform, the console and the simulator know about it. Adding one touches this file's sibling and one index line. */
export interface SensorKind {
  kind: string;
  zh: string;
  en: string;
  metrics: readonly MetricSpec[];
  /** How often a healthy device reports (ms). */
  intervalMs: number;
  /** How often it reports while what it measures is out of the ordinary (ms). */
  alertIntervalMs: number;
  rules: readonly RuleDefinition[];
  simulate(random: () => number): SimulatedSensor;
}
