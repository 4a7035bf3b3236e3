import type { Points } from './chunk-codec.ts';

/** Count and extremes of a run of points. */
export interface Summary {
  count: number;
  min: number;
  max: number;
  /** May overflow to an infinity or NaN for absurd values; `meanOf` copes. */
  sum: number;
}

export function emptySummary(): Summary {
  return { count: 0, min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, sum: 0 };
}

export function addPoint(summary: Summary, value: number): void {
  summary.count++;
  if (value < summary.min) summary.min = value;
  if (value > summary.max) summary.max = value;
  summary.sum += value;
}

export function addSummary(summary: Summary, other: Summary): void {
  summary.count += other.count;
  summary.min = Math.min(summary.min, other.min);
  summary.max = Math.max(summary.max, other.max);
  summary.sum += other.sum;
}

export function summarize({ length, values }: Points): Summary {
  const summary = emptySummary();
  for (let row = 0; row < length; row++) addPoint(summary, values[row]!);
  return summary;
}

/** Always within [min, max], whatever rounding or overflow did to the sum. */
function meanOf({ count, min, max, sum }: Summary): number {
  return Number.isFinite(sum) ? Math.min(max, Math.max(min, sum / count)) : min / 2 + max / 2;
}

/** Summaries of at most `count` parts of [from, to), equally wide in whole ms (the last may be cut short). */
export class Buckets {
  readonly #from: number;
  readonly #width: number;
  readonly #summaries: (Summary | undefined)[];

  constructor(from: number, to: number, count: number) {
    this.#from = from;
    this.#width = Math.ceil((to - from) / count);
    this.#summaries = new Array(Math.ceil((to - from) / this.#width));
  }

  /** Bucket of a time; times outside [from, to) are counted to the nearest bucket. */
  indexOf(time: number): number {
    return Math.min(this.#summaries.length - 1, Math.max(0, Math.floor((time - this.#from) / this.#width)));
  }

  at(index: number): Summary {
    this.#summaries[index] ??= emptySummary();
    return this.#summaries[index];
  }

  rows(): [time: number, min: number, mean: number, max: number][] {
    return this.#summaries.flatMap((summary, index) =>
      summary
        ? [
            [this.#from + index * this.#width, summary.min, meanOf(summary), summary.max] as [
              number,
              number,
              number,
              number,
            ],
          ]
        : [],
    );
  }
}
