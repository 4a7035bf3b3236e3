import { METRIC_NAMES } from '../../../model/metrics.ts';
import { FLAG } from '../../../model/reading.ts';
import type { JournalBatch, SeriesRow } from '../../../ports/journal.ts';
import type { RangeQuery, ReadingsStore, Rejected } from '../../../ports/readings.ts';
import { InfluxHttp, type InfluxTarget, LINES_MAX, unavailable } from './influx-http.ts';
import { storedAt } from './late-readings.ts';
import { line, lineHead, seriesQuery } from './lines.ts';
import { sendLines } from './send-lines.ts';

/** A reading on its way, with what a rejection has to name. */
export interface Outgoing {
  series: SeriesRow;
  time: number;
  value: number;
  receivedAt: number;
  /** Perhaps not the first of its time: to be looked up before it is written. */
  late: boolean;
}

/**
 * Readings in InfluxDB 1.x, or 2.x by its 1.x-compatible queries. A point is its series and time, so writing again is harmless; only a
 * reading that may meet another value at its time is looked up first. Nothing is kept in memory but the newest time of each series.
 */
export function createInfluxReadings(target: InfluxTarget): ReadingsStore {
  const series: SeriesRow[] = [];
  const heads: string[] = [];
  const newest = new Map<number, number>();
  let http: InfluxHttp | null = null;

  const use = () => {
    if (!http) throw unavailable('it is not open');
    return http;
  };
  const learn = (rows: SeriesRow[]) => {
    for (const row of rows) {
      series[row.index] = row;
      heads[row.index] = lineHead(row);
    }
  };

  const writeSlice = async (rows: Outgoing[], rejected: Rejected[]): Promise<void> => {
    const known = await storedAt(
      rows.filter((row) => row.late),
      (statements) => use().query(statements),
    );
    const fresh: Outgoing[] = [];
    for (const row of rows) {
      const times = known.get(row.series.index);
      const stored = times?.get(row.time);
      times?.set(row.time, stored ?? row.value);
      if (stored === undefined) fresh.push(row);
      else if (stored !== row.value) rejected.push(rejection(row, 'SAME_TIME', `${stored} is stored at this time`));
    }
    const lines = fresh.map((row) => line(heads[row.series.index]!, row.time, row.value));
    const refused = await sendLines(lines, (some) => use().write(some));
    for (const [index, words] of refused) rejected.push(rejection(fresh[index]!, 'REFUSED_BY_STORE', words));
  };

  return {
    async open(rows) {
      learn(rows);
      http ??= new InfluxHttp(target);
    },
    async write(batches) {
      use();
      const rejected: Rejected[] = [];
      let slice: Outgoing[] = [];
      for (const batch of batches) {
        learn(batch.newSeries);
        for (const row of outgoing(batch, series, newest)) {
          slice.push(row);
          if (slice.length < LINES_MAX) continue;
          await writeSlice(slice, rejected);
          slice = [];
        }
      }
      await writeSlice(slice, rejected);
      const last = batches.at(-1);
      return { durableBelow: last ? last.firstNo + last.count : 0, rejected };
    },
    async points(query, limit) {
      const [rows] = await use().query([`SELECT value ${rangeOf(query)} ORDER BY time LIMIT ${limit}`]);
      return (rows ?? []) as [number, number][];
    },
    async buckets(query, count) {
      const width = Math.ceil((query.to - query.from) / count);
      const grouping = `GROUP BY time(${width}ms, ${query.from % width}ms) fill(none)`;
      const [rows] = await use().query([`SELECT min(value), mean(value), max(value) ${rangeOf(query)} ${grouping}`]);
      return (rows ?? []) as [number, number, number, number][];
    },
    async retain({ readings }) {
      for (const metric of METRIC_NAMES) await use().deleteBefore(metric, readings);
    },
    async healthy() {
      try {
        await use().ping();
        return true;
      } catch {
        return false;
      }
    },
    async close() {
      http?.close();
      http = null;
    },
  };
}

function* outgoing({ readings }: JournalBatch, series: SeriesRow[], newest: Map<number, number>): Generator<Outgoing> {
  for (let row = 0; row < readings.length; row++) {
    const index = readings.series[row]!;
    const time = readings.time[row]!;
    const before = newest.get(index) ?? Number.NEGATIVE_INFINITY;
    if (time > before) newest.set(index, time);
    // The flag tells what came before our start.
    const late = time <= before || (readings.flags[row]! & FLAG.late) !== 0;
    yield { series: series[index]!, time, value: readings.value[row]!, receivedAt: readings.receivedAt[row]!, late };
  }
}

function rangeOf({ from, to, ...key }: RangeQuery): string {
  const { from: source, where } = seriesQuery(key);
  return `FROM ${source} WHERE ${where} AND time >= ${from}ms AND time < ${to}ms`;
}

function rejection(
  { series, time, value, receivedAt }: Outgoing,
  reason: Rejected['reason'],
  detail: string,
): Rejected {
  const { device, point, metric } = series;
  return { series: { device, point, metric }, time, value, receivedAt, reason, detail };
}
