import type { DatabaseSync } from 'node:sqlite';
import { statementCache } from '../../sqlite-file.ts';
import { decodeHours, encodeHours, HOUR_MS, type Hour, mergeHours } from './hours.ts';

export const TREND_SCHEMA = `CREATE TABLE trend(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    data BLOB NOT NULL);
  CREATE INDEX trend_by_series ON trend(series, start, "end")`;

/** Hours of one row: three weeks. */
const ROW_HOURS = 512;

/** The hourly summaries that dropped readings leave. Rows of a series may overlap, and each part of an hour lies in one of them. */
export class TrendRows {
  readonly #sql: ReturnType<typeof statementCache>;

  constructor(db: DatabaseSync) {
    this.#sql = statementCache(db);
  }

  /** Adds hours, ascending, to the newest row of the series where they follow on it, and in rows of their own. */
  add(series: number, hours: Hour[]): void {
    const newest = this.#sql('SELECT id, start, data FROM trend WHERE series = ? ORDER BY start DESC LIMIT 1').get(
      series,
    ) as { id: number; start: number; data: Uint8Array } | undefined;
    let rest = hours;
    if (newest && hours[0]!.start >= newest.start) {
      const known = decodeHours(newest.data);
      if (known.length < ROW_HOURS) {
        const merged = mergeHours([known, hours]);
        rest = merged.slice(ROW_HOURS);
        const row = merged.slice(0, ROW_HOURS);
        const update = 'UPDATE trend SET "end" = ?, data = ? WHERE id = ?';
        this.#sql(update).run(row.at(-1)!.start + HOUR_MS, encodeHours(row), newest.id);
      }
    }
    for (let at = 0; at < rest.length; at += ROW_HOURS) {
      const row = rest.slice(at, at + ROW_HOURS);
      const insert = 'INSERT INTO trend(series, start, "end", data) VALUES(?, ?, ?, ?)';
      this.#sql(insert).run(series, row[0]!.start, row.at(-1)!.start + HOUR_MS, encodeHours(row));
    }
  }

  /** Hours of which a part lies in [from, to); one that was written in parts comes in parts. */
  hours(series: number, from: number, to: number): Hour[] {
    const rows = this.#sql('SELECT data FROM trend WHERE series = ? AND start < ? AND "end" > ?').all(series, to, from);
    return rows
      .flatMap(({ data }) => decodeHours(data as Uint8Array))
      .filter(({ start }) => start < to && start + HOUR_MS > from);
  }

  /** Drops rows that end before `before`, `limit` at most. Returns how many. */
  drop(series: number, before: number, limit: number): number {
    const old = 'SELECT id FROM trend WHERE series = ? AND start < ?2 AND "end" <= ?2 LIMIT ?';
    return Number(this.#sql(`DELETE FROM trend WHERE id IN (${old})`).run(series, before, limit).changes);
  }
}
