import { FLAG, indexOfNo, type JournalBatch } from '@smart-fire/core';

/**
 * Readings that rules have seen and the journal has refused. Their devices send them again, and rules, for which the time of a series only
 * goes forward, are not to see them again. One that came without a time of its own comes again under a new one and counts again.
 */
export class Foreseen {
  /** By series: time (ms UTC) of the last one seen. */
  readonly #until = new Map<number, number>();

  /** Takes the readings of a refused batch whose numbers are in `[from, to)`. */
  add({ readings }: JournalBatch, from: number, to: number): void {
    const end = indexOfNo(readings.no, readings.length, to);
    for (let row = indexOfNo(readings.no, readings.length, from); row < end; row++) {
      const series = readings.series[row]!;
      const time = readings.time[row]!;
      // What was sent again may have been refused again, and not all of it.
      if ((readings.flags[row]! & FLAG.late) === 0 && !this.has(series, time)) this.#until.set(series, time);
    }
  }

  /** Whether rules have seen the series up to this time; forgotten as soon as they have not. */
  has(series: number, time: number): boolean {
    // The usual case.
    if (this.#until.size === 0) return false;
    const until = this.#until.get(series);
    if (until === undefined) return false;
    if (time <= until) return true;
    this.#until.delete(series);
    return false;
  }

  entries(): [series: number, until: number][] {
    return [...this.#until];
  }

  restore(entries: readonly [series: number, until: number][], isKnown: (series: number) => boolean): void {
    for (const [series, until] of entries) if (isKnown(series)) this.#until.set(series, until);
  }
}
