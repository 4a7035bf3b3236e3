import type { Outgoing } from './influx.ts';
import type { Rows } from './influx-http.ts';
import { seriesQuery } from './lines.ts';

/** Late readings further apart than this are looked up apart, so that a gap's contents are not read for its two ends. */
const GAP_MS = 600_000;
const STATEMENTS_MAX = 100;

/** What the store holds at the times of late readings: by series index, value by time. A series without late readings has no entry. */
export async function storedAt(
  late: Outgoing[],
  query: (statements: string[]) => Promise<Rows[]>,
): Promise<Map<number, Map<number, number>>> {
  const known = new Map<number, Map<number, number>>();
  const ranges: { index: number; statement: string }[] = [];
  for (const [index, rows] of Map.groupBy(late, (row) => row.series.index)) {
    known.set(index, new Map());
    const { from, where } = seriesQuery(rows[0]!.series);
    const times = rows.map((row) => row.time).sort((a, b) => a - b);
    let first = 0;
    for (let at = 1; at <= times.length; at++) {
      if (at < times.length && times[at]! - times[at - 1]! <= GAP_MS) continue;
      const range = `time >= ${times[first]}ms AND time <= ${times[at - 1]}ms`;
      ranges.push({ index, statement: `SELECT value FROM ${from} WHERE ${where} AND ${range}` });
      first = at;
    }
  }
  for (let at = 0; at < ranges.length; at += STATEMENTS_MAX) {
    const step = ranges.slice(at, at + STATEMENTS_MAX);
    const answers = await query(step.map((range) => range.statement));
    for (const [answer, rows] of answers.entries()) {
      for (const [time, value] of (rows ?? []) as [number, number][]) known.get(step[answer]!.index)!.set(time, value);
    }
  }
  return known;
}
