import type { Arrival } from '../consoles/consoles.ts';
import type { SentAlert } from '../load/load.ts';

/** How long alerts took to a console (ms), in the order they were sent; Infinity = it never came. */
export type Latencies = number[];

function byDevice<T extends { device: string }>(items: readonly T[]): Map<string, T[]> {
  return Map.groupBy(items, ({ device }) => device);
}

/**
 * Alarms count how often they were raised: the k-th alert of a device in this run is there with the first frame that shows a count of
 * at least `before` + k (frames that come fast give only the latest count).
 */
export function matchByCount(
  sent: readonly SentAlert[],
  arrivals: readonly Arrival[],
  before: ReadonlyMap<string, number>,
): Latencies {
  const arrived = byDevice(arrivals);
  const latencies: Latencies = [];
  for (const [device, alerts] of byDevice(sent)) {
    const frames = arrived.get(device) ?? [];
    let count = before.get(device) ?? 0;
    let next = 0;
    for (const { at, warmUp } of alerts) {
      count++;
      while (next < frames.length && frames[next]!.n < count) next++;
      if (!warmUp) latencies.push(next < frames.length ? frames[next]!.at - at : Infinity);
    }
  }
  return latencies;
}

/** A flow hands on the `seq` of the reading that alerts. */
export function matchBySeq(sent: readonly SentAlert[], arrivals: readonly Arrival[]): Latencies {
  const arrived = new Map(arrivals.map(({ n, at }) => [n, at]));
  return sent.filter(({ warmUp }) => !warmUp).map(({ seq, at }) => (arrived.get(seq) ?? Infinity) - at);
}
