import { FIRE_METRICS, KEY, NOISES, plausible, SENSOR_SIZE, SHOWN, TIME, USUAL, VALUE } from './fire-sensor.ts';

/** A sensor unheard for so long gives its place to another, and no longer holds an alarm. */
export const GONE_MS = 24 * 3_600_000;

/** So many times the least noise of its metric a reading must exceed another's to take its place: 1 K, 0.01 dB/m, 10 ppm. */
const AHEAD = 10;

/**
 * Where the numbers of a sensor are, of those from `first` to `end`: its own place, else a free one, else that of a sensor gone. A zone may
 * have more sensors than places. Then each metric has its share, and of its sensors those with the highest readings are watched (a fire is
 * soon the highest in its zone), and those that have risen: so the places go to few and keep their usual values. -1 = not watched now.
 */
export function placeOf(
  state: Float64Array,
  first: number,
  end: number,
  source: number,
  metric: number,
  value: number,
  time: number,
): number {
  const key = source * FIRE_METRICS.length + metric;
  let oldest = first;
  for (let at = first; at < end; at += SENSOR_SIZE) {
    if (state[at + KEY] === key) return at;
    if (Number.isNaN(state[at + KEY]!)) {
      state[at + KEY] = key;
      return at;
    }
    if (state[at + TIME]! < state[oldest + TIME]!) oldest = at;
  }
  if (time - state[oldest + TIME]! > GONE_MS) return give(state, oldest, key);
  // What is no reading is no reason to forget another sensor.
  if (!plausible(metric, value)) return -1;
  const largest = largestMetric(state, first, end, metric);
  const weakest = weakestOf(state, first, end, largest);
  const ahead = largest !== metric || value > state[weakest + VALUE]! + AHEAD * NOISES[metric]!;
  return ahead ? give(state, weakest, key) : -1;
}

function give(state: Float64Array, at: number, key: number): number {
  state.fill(NaN, at, at + SENSOR_SIZE);
  state[at + KEY] = key;
  return at;
}

function metricAt(state: Float64Array, at: number): number {
  return state[at + KEY]! % FIRE_METRICS.length;
}

/** The metric with the most places, if `metric` has fewer than its share of them; else `metric` itself. */
function largestMetric(state: Float64Array, first: number, end: number, metric: number): number {
  const share = Math.floor((end - first) / SENSOR_SIZE / FIRE_METRICS.length);
  const own = countOf(state, first, end, metric);
  if (own > 0 && own >= share) return metric;
  let largest = metric;
  let most = own;
  for (let other = 0; other < FIRE_METRICS.length; other++) {
    const count = countOf(state, first, end, other);
    if (count > most) {
      most = count;
      largest = other;
    }
  }
  return largest;
}

function countOf(state: Float64Array, first: number, end: number, metric: number): number {
  let count = 0;
  for (let at = first; at < end; at += SENSOR_SIZE) if (metricAt(state, at) === metric) count++;
  return count;
}

/** The lowest reading of a metric, one of a sensor that has risen only if all have. There is one of the metric. */
function weakestOf(state: Float64Array, first: number, end: number, metric: number): number {
  let weakest = -1;
  let lowest = 0;
  let spared = false;
  for (let at = first; at < end; at += SENSOR_SIZE) {
    if (metricAt(state, at) !== metric) continue;
    const risen = state[at + SHOWN]! - state[at + USUAL]! > 2 * AHEAD * NOISES[metric]!;
    const value = state[at + VALUE]!;
    if (weakest >= 0 && (risen !== spared ? risen : !(value < lowest))) continue;
    weakest = at;
    lowest = value;
    spared = risen;
  }
  return weakest;
}
