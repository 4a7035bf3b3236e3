import type { Point } from './trend-buckets.ts';

export function medianOf(numbers: number[]): number {
  if (numbers.length === 0) return NaN;
  numbers.sort((a, b) => a - b);
  const middle = numbers.length >> 1;
  return numbers.length % 2 === 1 ? numbers[middle]! : (numbers[middle - 1]! + numbers[middle]!) / 2;
}

/** Slopes between all pairs of points, per ms. */
function slopesOf(points: readonly Point[]): number[] {
  const slopes: number[] = [];
  for (let i = 0; i < points.length; i++)
    for (let j = i + 1; j < points.length; j++) {
      const { time, value } = points[i]!;
      const later = points[j]!;
      if (later.time > time) slopes.push((later.value - value) / (later.time - time));
    }
  return slopes;
}

/** Theil's (1950) and Sen's (1968) slope: the median of all pairs'. Three in ten points may be wrong. NaN with fewer than two points. */
export function slopeOf(points: readonly Point[]): number {
  return medianOf(slopesOf(points));
}

export interface Trend {
  /** Per ms, with its bounds: the two-sided confidence interval. */
  slope: number;
  low: number;
  high: number;
  /** Share of the pairs of points that go the way of the slope. */
  agreement: number;
  /** Of the line, at the last point. */
  level: number;
  /** Spread of the points about the line: 1.4826 × median distance. */
  spread: number;
}

/**
 * A robust line with what is known of its slope: Sen's interval from the variance of Kendall's S, widened for points that follow their
 * neighbours (Hamed & Rao 1998, first lag). `z` = normal deviate of the confidence. Null with fewer than `least` points.
 */
export function trendOf(points: readonly Point[], z: number, least: number): Trend | null {
  const n = points.length;
  if (n < least) return null;
  const slopes = slopesOf(points).sort((a, b) => a - b);
  const slope = medianOf(slopes);
  const end = points[n - 1]!.time;
  const level = medianOf(points.map(({ time, value }) => value + slope * (end - time)));
  const rest = points.map(({ time, value }) => value - level - slope * (time - end));
  let power = 0;
  let follow = 0;
  for (let i = 0; i < n; i++) {
    power += rest[i]! ** 2;
    if (i > 0) follow += rest[i]! * rest[i - 1]!;
  }
  const lag = power > 0 ? Math.min(0.9, Math.max(0, follow / power)) : 0;
  const deviation = Math.sqrt(((n * (n - 1) * (2 * n + 5)) / 18) * ((1 + lag) / (1 - lag)));
  const half = (slopes.length - z * deviation) / 2;
  const at = Math.floor(half);
  const known = at >= 0;
  return {
    slope,
    low: known ? slopes[at]! : Number.NEGATIVE_INFINITY,
    high: known ? slopes[slopes.length - 1 - at]! : Number.POSITIVE_INFINITY,
    agreement: slopes.filter((one) => one * slope > 0).length / slopes.length,
    level,
    spread: 1.4826 * medianOf(rest.map(Math.abs)),
  };
}
