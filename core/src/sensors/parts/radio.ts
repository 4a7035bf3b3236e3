import type { Metric } from '../../model/metrics.ts';
import type { MetricSpec, SimulationInput } from '../sensor.ts';
import { between, createNoise, quantise } from './noise.ts';
import { createVerdict } from './verdict.ts';

/** What every battery-powered radio device reports beside its measurement. */
export const RADIO_METRICS: readonly MetricSpec[] = [
  { metric: 'battery', valid: [0, 100], measuring: [0, 100] },
  { metric: 'signal', valid: [-150, 0], measuring: [-130, -20] },
];

/** A lithium cell says so itself below this (%): some weeks of life left. */
const EMPTY = 10;

/** Battery and radio of one device. The cell's gauge falls linearly over five years, a little lower in the cold of night. */
export function createRadio(random: () => number): {
  sample(input: SimulationInput): Partial<Record<Metric, number>>;
  event(input: SimulationInput): { event: string; detail?: string } | null;
} {
  const LIFE = 5 * 365.25 * 86_400;
  let charge = between(random, 62, 100);
  let shown = charge;
  const place = between(random, -98, -65);
  const fading = createNoise(random, 2.5, 1800);
  const gauge = createNoise(random, 0.4, 7200);
  const low = createVerdict({ event: 'low-battery', restored: 'battery-restored' }, 0, 0);
  return {
    sample({ dt, disturbance }) {
      charge = Math.max(0, charge - (100 * dt) / LIFE);
      shown = Math.min(100, Math.max(0, charge - (disturbance.batteryLoss ?? 0) + gauge(dt)));
      return { battery: quantise(shown, 1), signal: quantise(place + fading(dt), 1) };
    },
    event: ({ dt }) => low.step(shown < EMPTY, shown > EMPTY + 5, dt),
  };
}
