import type { Disturbance, Metric, SensorKind, SimulatedSensor } from '@smart-fire/core';
import { chinaHour, seeded } from '@smart-fire/core/sensors';

interface Sample {
  time: number;
  values: Partial<Record<Metric, number>>;
  event: { event: string; detail?: string } | null;
}

/** A sensor model that knows what time it is. */
export interface SimulatedDevice {
  readonly kind: SensorKind;
  seq: number;
  /** When it was last sampled (ms, simulated time). */
  sampledAt: number;
  sample(time: number, disturbance: Disturbance): Sample;
}

export function createSimulatedDevice(kind: SensorKind, seed: number, from: number): SimulatedDevice {
  const random = seeded(seed);
  const sensor: SimulatedSensor = kind.simulate(random);
  return {
    kind,
    seq: 0,
    sampledAt: from,
    sample(time, disturbance) {
      const input = { time, hour: chinaHour(time), dt: Math.max(0, time - this.sampledAt) / 1000, random, disturbance };
      this.sampledAt = time;
      const values = sensor.sample(input);
      return { time, values, event: sensor.event(input) };
    },
  };
}
