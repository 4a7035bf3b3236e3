import { seeded } from '@smart-fire/core/sensors';
import { between, gaussian } from '@smart-fire/core/testing';

/** Rows of a water loop: `values[row][metric]`, metrics by name. */
export interface Stretch {
  metrics: readonly string[];
  values: readonly (readonly number[])[];
}

export interface Disturbed extends Stretch {
  /** First row of the disturbance, and the first behind it. */
  from: number;
  to: number;
}

/** Share of its full size that a disturbance has, `share` (0 to 1) of its length after it began. */
type Shape = (share: number) => number;
/** What becomes of a metric: times `gain`, plus `add`, with noise of `noise` standard deviations of its own. All at full size. */
interface Effect {
  gain?: number;
  add?: number;
  noise?: number;
}
interface Fault {
  shape: Shape;
  effects: Record<string, Effect>;
  /** Rows (time constant) in which it comes and goes; 0 = at once. */
  lag?: number;
}

const ONE = 'Accelerometer1RMS';
const TWO = 'Accelerometer2RMS';
const CURRENT = 'Current';
const PRESSURE = 'Pressure';
const MOTOR = 'Temperature';
const FLUID = 'Thermocouple';
const VOLTAGE = 'Voltage';
const FLOW = 'Volume Flow RateRMS';

const step: Shape = () => 1;
const linear: Shape = (share) => share;
const exponential: Shape = (share) => Math.expm1(3 * share) / Math.expm1(3);
/** A knock of a few rows, again and again. */
const knocks: Shape = (share) => ((share * 16) % 1 < 0.25 ? 1 : 0);

/** An eccentric rotor: both accelerations grow, by a fifth to three times. */
function imbalance(random: () => number, shape: Shape): Fault {
  const grown = between(random, 0.2, 2);
  return {
    shape,
    effects: { [ONE]: { gain: 1 + grown }, [TWO]: { gain: 1 + grown * between(random, 0.3, 1) } },
    lag: shape === step ? 3 : 0,
  };
}

/** The ways in which a pump and its loop are disturbed, sizes drawn from what such plants show. */
export const FAULTS: Record<string, (random: () => number) => Fault> = {
  'imbalance, step': (random) => imbalance(random, step),
  'imbalance, linear': (random) => imbalance(random, linear),
  'imbalance, exponential': (random) => imbalance(random, exponential),
  'imbalance, knocks': (random) => imbalance(random, knocks),
  cavitation: (random) => ({
    shape: step,
    lag: between(random, 5, 40),
    effects: {
      [FLOW]: { gain: 1 - between(random, 0.03, 0.15), noise: between(random, 1, 4) },
      [PRESSURE]: { add: -between(random, 0.1, 0.3), noise: 0.5 },
      [ONE]: { gain: between(random, 1.05, 1.5) },
      [TWO]: { gain: between(random, 1.05, 1.5) },
      [CURRENT]: { gain: 1 - between(random, 0.02, 0.08) },
    },
  }),
  'two-phase flow': (random) => ({
    shape: step,
    lag: 10,
    effects: {
      [FLOW]: { gain: 1 - between(random, 0, 0.04), noise: between(random, 2, 6) },
      [PRESSURE]: { noise: between(random, 0.5, 1.5) },
      [TWO]: { gain: between(random, 1, 1.1), noise: between(random, 1, 3) },
    },
  }),
  current: (random) => ({
    shape: step,
    lag: 3,
    effects: { [CURRENT]: { gain: 1 + between(random, 0.05, 0.25) * (random() < 0.5 ? -1 : 1) } },
  }),
  voltage: (random) => ({
    shape: step,
    lag: 1,
    effects: {
      [VOLTAGE]: { gain: 1 - between(random, 0.02, 0.08) },
      [CURRENT]: { gain: 1 + between(random, 0, 0.08) },
    },
  }),
  'warmer water': (random) => {
    const warmer = between(random, 0.5, 3);
    return {
      shape: step,
      lag: between(random, 30, 120),
      effects: { [FLUID]: { add: warmer }, [MOTOR]: { add: warmer * between(random, 0.1, 0.5) } },
    };
  },
  'motor warms': (random) => ({ shape: linear, effects: { [MOTOR]: { add: between(random, 1.5, 6) } } }),
  'leak, sudden': (random) => ({
    shape: step,
    lag: 3,
    effects: { [FLOW]: { gain: 1 - between(random, 0.05, 0.2) } },
  }),
  'leak, slow': (random) => ({ shape: linear, effects: { [FLOW]: { gain: 1 - between(random, 0.05, 0.2) } } }),
  'water added': (random) => ({
    shape: step,
    lag: 10,
    effects: {
      [FLOW]: { gain: 1 + between(random, 0.02, 0.06) },
      [PRESSURE]: { add: between(random, 0.05, 0.2) },
      [TWO]: { gain: 1 + between(random, -0.03, 0.03) },
    },
  }),
  'valve and imbalance': (random) => {
    const { effects } = imbalance(random, step);
    return { shape: step, lag: 5, effects: { ...effects, [FLOW]: { gain: 1 - between(random, 0.03, 0.1) } } };
  },
};

/** A stretch of an undisturbed recording with a fault in it, for 300 to 400 rows from row 500 to 700 on. */
export function disturb({ metrics, values }: Stretch, fault: string, seed: number): Disturbed {
  const random = seeded(seed);
  for (let skip = 0; skip < 8; skip++) random();
  const { shape, effects, lag = 0 } = FAULTS[fault]!(random);
  const from = Math.round(between(random, 500, 700));
  const to = from + Math.round(between(random, 300, 400));
  const made = values.map((row) => [...row]);
  for (const [metric, { gain = 1, add = 0, noise = 0 }] of Object.entries(effects)) {
    const at = metrics.indexOf(metric);
    if (at < 0) continue;
    const before = values.slice(0, 400).map((row) => row[at]!);
    const spread = deviation(before);
    const quantum = metric === PRESSURE ? stepOf(before) : 0;
    // Noise of bubbles lasts for some rows.
    let bubbles = 0;
    let size = 0;
    for (let row = from; row < values.length; row++) {
      const target = row < to ? shape((row - from) / (to - from)) : 0;
      // What came slowly goes within half a minute; what has a lag goes with it.
      const rows = row < to ? lag : Math.max(lag, 10);
      size += (target - size) * (rows > 0 ? -Math.expm1(-1 / rows) : 1);
      bubbles = 0.5 * bubbles + Math.sqrt(0.75) * gaussian(random);
      const value = made[row]![at]!;
      const changed = value * (1 + (gain - 1) * size) + add * size + noise * spread * bubbles * size;
      made[row]![at] =
        quantum > 0 ? value + Math.round((changed - value) / quantum + random() - 0.5) * quantum : changed;
    }
  }
  return { metrics, values: made, from, to };
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

/** Step of the converter. */
function stepOf(values: readonly number[]): number {
  const different = [...new Set(values)].sort((a, b) => a - b);
  return different.reduce(
    (least, value, at) => (at > 0 ? Math.min(least, value - different[at - 1]!) : least),
    Infinity,
  );
}
