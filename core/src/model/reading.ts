import type { Metric } from './metrics.ts';

/**
 * A series is (device, point, metric); `point` is '' for a device that has only one.
 * A reading is (series, time): the same again is dropped, another value at the same ms is a dead letter `SAME_TIME`.
 */
export interface SeriesKey {
  device: string;
  point: string;
  metric: Metric;
}

/** Bits of a reading's `flags`. */
export const FLAG = {
  /** The device's clock was outside [receivedAt − 30 days, receivedAt + 5 min]; `time` is the receive time. */
  clock: 1,
  /** Outside the measuring range of the sensor kind; kept and evaluated all the same. */
  range: 2,
  /** Physically impossible for the sensor kind; kept and evaluated all the same (a burning sensor reads nonsense). */
  implausible: 4,
  /** The device sent no `ts`; `time` is the receive time, made unique per series. */
  untimed: 8,
  /** Not newer than its series' last reading: history only, never steps a rule. */
  late: 16,
} as const;

/** How far a device's own time may lie from ours before we use the receive time instead (ms). */
export const CLOCK_WINDOW = { past: 30 * 86_400_000, future: 5 * 60_000 } as const;
