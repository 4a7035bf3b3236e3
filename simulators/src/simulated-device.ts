import type { Disturbance, Metric, SensorKind, SimulatedSensor } from '@smart-fire/core';

/** Seeded generator (mulberry32), uniform in [0, 1): the same seed gives the same fleet. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Sample {
  time: number;
  values: Partial<Record<Metric, number>>;
  event: { event: string; detail?: string } | null;
}

/** Local hour in China (one time zone, eight hours ahead), with fraction. */
function localHour(time: number): number {
  return (((time / 3_600_000 + 8) % 24) + 24) % 24;
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
      const input = { time, hour: localHour(time), dt: Math.max(0, time - this.sampledAt) / 1000, random, disturbance };
      this.sampledAt = time;
      const values = sensor.sample(input);
      return { time, values, event: sensor.event(input) };
    },
  };
}
