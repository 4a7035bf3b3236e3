import type { ReadingsStore, SeriesRow } from '@smart-fire/core';
import type { BacktestRow, BacktestSource } from './source.ts';

/** Points asked for at a time, per series. */
const PAGE = 5000;
/** Rows between two turns of the event loop: who tries a rule on a running platform must not stop those who watch. */
const BREATH = 128;

/** One series of stored history, read page by page. */
class Cursor {
  #page: [time: number, value: number][] = [];
  #at = 0;
  #from: number;
  readonly #next: (from: number) => Promise<[time: number, value: number][]>;

  constructor(from: number, next: (from: number) => Promise<[time: number, value: number][]>) {
    this.#from = from;
    this.#next = next;
  }

  /** Time of the point at hand; Infinity at the end. */
  get time(): number {
    return this.#page[this.#at]?.[0] ?? Infinity;
  }

  /** The value at hand, which is left behind. */
  take(): number {
    return this.#page[this.#at++]![1];
  }

  async fill(): Promise<void> {
    if (this.#at < this.#page.length || this.#from === Infinity) return;
    this.#page = await this.#next(this.#from);
    this.#at = 0;
    this.#from = this.#page.length < PAGE ? Infinity : this.#page.at(-1)![0] + 1;
  }
}

/** Stored readings of these series from `from` (inclusive) to `to` (exclusive, ms UTC): one row for each time at which any of them has one. */
export function openHistory(
  readings: Pick<ReadingsStore, 'points'>,
  series: readonly SeriesRow[],
  { from, to }: { from: number; to: number },
): BacktestSource {
  let reached = from;
  return {
    series,
    async *rows() {
      const cursors = series.map(
        ({ device, point, metric }) =>
          new Cursor(from, (start) => readings.points({ device, point, metric, from: start, to }, PAGE)),
      );
      const row: BacktestRow = { cell: '', time: from, values: new Float64Array(series.length), label: NaN };
      for (let rows = 1; ; rows++) {
        if (rows % BREATH === 0) await new Promise((resolve) => setImmediate(resolve));
        let time = Infinity;
        for (const cursor of cursors) {
          await cursor.fill();
          time = Math.min(time, cursor.time);
        }
        if (time === Infinity) return;
        for (const [at, cursor] of cursors.entries()) row.values[at] = cursor.time === time ? cursor.take() : NaN;
        row.time = reached = time;
        row.cell = new Date(time).toISOString();
        yield row;
      }
    },
    progress: () => (to > from ? (reached - from) / (to - from) : 1),
    remarks: () => [],
  };
}
