export interface LatencySummary {
  count: number;
  /** ms; 0 while there are none. */
  p50: number;
  p99: number;
  max: number;
}

/** Latencies in logarithmic buckets 2 % wide from 10 µs to 10 min: constant memory, whatever the count. */
export function createLatencies(): { add(ms: number): void; summary(): LatencySummary } {
  const FLOOR = 0.01;
  const WIDTH = Math.log(1.02);
  const buckets = new Float64Array(1000);
  let count = 0;
  let max = 0;
  const quantile = (share: number): number => {
    if (count === 0) return 0;
    let left = share * count;
    for (let index = 0; index < buckets.length; index += 1) {
      left -= buckets[index]!;
      if (left <= 0) return Math.min(max, FLOOR * Math.exp((index + 1) * WIDTH));
    }
    return max;
  };
  return {
    add(ms) {
      const index = ms <= FLOOR ? 0 : Math.min(buckets.length - 1, Math.floor(Math.log(ms / FLOOR) / WIDTH));
      buckets[index]! += 1;
      count += 1;
      if (ms > max) max = ms;
    },
    summary: () => ({ count, p50: quantile(0.5), p99: quantile(0.99), max }),
  };
}
