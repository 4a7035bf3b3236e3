import { FireError } from '../errors.ts';
import type { SeriesKey } from '../model/reading.ts';
import type { JournalBatch, SeriesRow } from '../ports/journal.ts';
import type { RangeQuery, ReadingsStore, Rejected, RetentionBorders } from '../ports/readings.ts';

function keyOf(series: SeriesKey): string {
  return JSON.stringify([series.device, series.point, series.metric]);
}

/** The readings store in memory; `away` makes every method reject as a stopped server does. */
export class MemoryReadings implements ReadingsStore {
  away = false;
  writes = 0;
  /** Largest number of readings handed over in one write. */
  largestWrite = 0;
  retained: RetentionBorders[] = [];
  readonly #series: SeriesRow[] = [];
  readonly #points = new Map<string, Map<number, number>>();

  async open(series: SeriesRow[]): Promise<void> {
    for (const row of series) this.#series[row.index] = row;
  }

  async write(batches: JournalBatch[]): Promise<{ durableBelow: number; rejected: Rejected[] }> {
    this.#reach();
    this.writes++;
    const rejected: Rejected[] = [];
    let durableBelow = 0;
    let total = 0;
    for (const batch of batches) {
      for (const row of batch.newSeries) this.#series[row.index] = row;
      total += batch.readings.length;
      for (let i = 0; i < batch.readings.length; i++) this.#put(batch, i, rejected);
      durableBelow = batch.firstNo + batch.count;
    }
    this.largestWrite = Math.max(this.largestWrite, total);
    return { durableBelow, rejected };
  }

  async points(query: RangeQuery, limit: number): Promise<[time: number, value: number][]> {
    this.#reach();
    return this.#range(query).slice(0, limit);
  }

  async buckets(query: RangeQuery, buckets: number): Promise<[time: number, min: number, mean: number, max: number][]> {
    this.#reach();
    const width = Math.max(1, Math.ceil((query.to - query.from) / buckets));
    const rows = new Map<number, number[]>();
    for (const [time, value] of this.#range(query)) {
      const start = query.from + Math.floor((time - query.from) / width) * width;
      rows.set(start, [...(rows.get(start) ?? []), value]);
    }
    return [...rows].map(([time, values]) => [
      time,
      Math.min(...values),
      values.reduce((sum, value) => sum + value, 0) / values.length,
      Math.max(...values),
    ]);
  }

  async retain(before: RetentionBorders): Promise<void> {
    this.#reach();
    this.retained.push(before);
    for (const points of this.#points.values())
      for (const time of points.keys()) if (time < before.readings) points.delete(time);
  }

  async healthy(): Promise<boolean> {
    return !this.away;
  }

  async close(): Promise<void> {}

  /** Everything held, for assertions. */
  count(): number {
    let count = 0;
    for (const points of this.#points.values()) count += points.size;
    return count;
  }

  #put(batch: JournalBatch, i: number, rejected: Rejected[]): void {
    const series = this.#series[batch.readings.series[i]!];
    if (!series) throw new Error(`series ${batch.readings.series[i]} was never announced`);
    const time = batch.readings.time[i]!;
    const value = batch.readings.value[i]!;
    const points = this.#points.get(keyOf(series)) ?? new Map<number, number>();
    this.#points.set(keyOf(series), points);
    const before = points.get(time);
    if (before === undefined) points.set(time, value);
    else if (before !== value)
      rejected.push({
        series: { device: series.device, point: series.point, metric: series.metric },
        time,
        value,
        receivedAt: batch.readings.receivedAt[i]!,
        reason: 'SAME_TIME',
        detail: `${before} is stored at that time`,
      });
  }

  #range(query: RangeQuery): [time: number, value: number][] {
    const points = this.#points.get(keyOf(query)) ?? new Map<number, number>();
    return [...points].filter(([time]) => time >= query.from && time < query.to).sort((a, b) => a[0] - b[0]);
  }

  #reach(): void {
    if (this.away) throw new FireError('FIRE_READINGS_UNAVAILABLE');
  }
}
