import type { MetricSpec, SimulatedSensor } from '../sensor.ts';
import { between, createLag, quantise } from './noise.ts';
import { createRadio, RADIO_METRICS } from './radio.ts';
import { createRoom } from './room.ts';
import { createVerdict } from './verdict.ts';

export const SMOKE_METRICS: readonly MetricSpec[] = [
  { metric: 'smoke_density', valid: [0, 100], measuring: [0, 5] },
  { metric: 'temperature', valid: [-60, 1300], measuring: [-20, 85] },
  ...RADIO_METRICS,
];

/**
 * An optical smoke detector in a room: smoke enters its chamber with a lag, and the detector decides by itself after a short verification.
 * Response threshold 0.25 to 0.40 dB/m, within the range GB 4715 and EN 54-7 allow.
 */
export function createSmokeChamber(random: () => number): SimulatedSensor {
  const room = createRoom(random);
  const radio = createRadio(random);
  const chamber = createLag(between(random, 10, 20), 0);
  const air = createLag(40, 22);
  const threshold = between(random, 0.25, 0.4);
  const fire = createVerdict({ event: 'fire', restored: 'restored', detail: 'smoke' }, 10);
  let settled = false;
  return {
    sample(input) {
      const { smoke, temperature } = room(input);
      chamber.step(smoke, settled ? input.dt : 1e9);
      air.step(temperature, settled ? input.dt : 1e9);
      settled = true;
      return {
        smoke_density: quantise(chamber.value, 1000),
        temperature: quantise(air.value, 10),
        ...radio.sample(input),
      };
    },
    event: (input) =>
      fire.step(chamber.value >= threshold, chamber.value < threshold / 2, input.dt) ?? radio.event(input),
  };
}
