import { FLAG, METRIC_NAMES, type SensorKind } from '@smart-fire/core';
import { getSensorKind } from '@smart-fire/core/sensors';

/** Expected interval of a kind nobody has described (ms). */
const DEFAULT_INTERVAL_MS = 3_600_000;

/** What a sensor kind says about its values, in columns by metric index; NaN where it says nothing. */
export interface Ranges {
  /** How often a healthy device reports (ms). */
  intervalMs: number;
  /** Per metric: measuring min and max, valid min and max. */
  limits: Float64Array;
}

function rangesOf(kind: Pick<SensorKind, 'metrics' | 'intervalMs'> | undefined): Ranges {
  const limits = new Float64Array(METRIC_NAMES.length * 4).fill(Number.NaN);
  for (const spec of kind?.metrics ?? []) {
    limits.set([...spec.measuring, ...spec.valid], METRIC_NAMES.indexOf(spec.metric) * 4);
  }
  return { intervalMs: kind?.intervalMs ?? DEFAULT_INTERVAL_MS, limits };
}

/** FLAG.range and FLAG.implausible of a value; nothing compares with NaN, so a metric without limits has no flags. */
export function rangeFlags({ limits }: Ranges, metric: number, value: number): number {
  const at = metric * 4;
  const range = value < limits[at]! || value > limits[at + 1]! ? FLAG.range : 0;
  return value < limits[at + 2]! || value > limits[at + 3]! ? range | FLAG.implausible : range;
}

/** One set of ranges per kind, shared by its devices. */
export class RangeCatalogue {
  readonly #byKind = new Map<string, Ranges>();

  of(kind: string): Ranges {
    let ranges = this.#byKind.get(kind);
    if (!ranges) {
      ranges = rangesOf(getSensorKind(kind));
      this.#byKind.set(kind, ranges);
    }
    return ranges;
  }
}
