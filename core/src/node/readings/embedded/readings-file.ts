import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SeriesKey } from '../../../model/reading.ts';
import type { SeriesRow } from '../../../ports/journal.ts';
import { inTransaction, openSqliteFile, type SqliteFormat, statementCache } from '../../sqlite-file.ts';
import { Chunk } from './chunk.ts';
import { decodeChunk, encodeChunk, type Points } from './chunk-codec.ts';
import { addPoint, emptySummary, type Summary, summarize } from './summary.ts';

const HOUR = 3_600_000;

// The index holds the summaries too: a long history is answered from it without touching a chunk.
const FORMAT: SqliteFormat = {
  applicationId: 0x53465231, // "SFR1"
  version: 1,
  schema: `CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    INSERT INTO meta VALUES('durable_below', 0), ('durable_at', 0);
    CREATE TABLE series(id INTEGER PRIMARY KEY, journal_index INTEGER, device TEXT NOT NULL, point TEXT NOT NULL, metric TEXT NOT NULL,
      UNIQUE(device, point, metric));
    CREATE TABLE chunk(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start REAL NOT NULL, "end" REAL NOT NULL, count INTEGER NOT NULL,
      min REAL NOT NULL, max REAL NOT NULL, sum REAL, data BLOB NOT NULL);
    CREATE INDEX chunk_by_series ON chunk(series, start, "end", count, min, max, sum);
    CREATE TABLE hour(series INTEGER, start INTEGER, count INTEGER NOT NULL, min REAL NOT NULL, max REAL NOT NULL, sum REAL,
      PRIMARY KEY(series, start)) WITHOUT ROWID`,
};

/** A chunk's row without its points. */
export interface ChunkRow extends Summary {
  id: number;
  start: number;
  end: number;
}

/** Every reading with a journal number below `below`, received until `at`, is in the file. */
export interface Durable {
  below: number;
  at: number;
}

/** The readings' file: everything SQL. A point lies in exactly one chunk, or, once that has been dropped, in one hour's summary. */
export class ReadingsFile {
  readonly #db: DatabaseSync;
  readonly #sql: (sql: string) => StatementSync;

  constructor(file: string, maxPages?: number) {
    this.#db = openSqliteFile(file, FORMAT);
    this.#sql = statementCache(this.#db);
    if (maxPages !== undefined) this.#db.exec(`PRAGMA max_page_count = ${maxPages}`);
  }

  /** How far the journal had been saved, and when (ms UTC). */
  get durable(): Durable {
    const value = (name: string) => this.#sql('SELECT value FROM meta WHERE name = ?').get(name)!.value as number;
    return { below: value('durable_below'), at: value('durable_at') };
  }

  /**
   * Our ids of the journal's series. A journal whose dictionary contradicts ours is another one: what we know of its numbers is void.
   */
  adoptSeries(rows: SeriesRow[]): number[] {
    return inTransaction(this.#db, () => {
      const known = this.#sql('SELECT count(*) AS count FROM series WHERE journal_index IS NOT NULL').get()!
        .count as number;
      const agree = rows.filter((row) => this.#find(row)?.journal_index === row.index).length;
      if (agree < known) {
        this.#sql('UPDATE series SET journal_index = NULL').run();
        this.#saveDurable({ below: 0, at: 0 });
      }
      return rows.map((row) => this.#adopt(row));
    });
  }

  addSeries(rows: SeriesRow[]): number[] {
    return inTransaction(this.#db, () => rows.map((row) => this.#adopt(row)));
  }

  seriesId(key: SeriesKey): number | undefined {
    return this.#find(key)?.id as number | undefined;
  }

  lastChunk(series: number): ChunkRow | undefined {
    return this.#sql(`${SELECT_CHUNK} WHERE series = ? ORDER BY start DESC LIMIT 1`).get(series) as
      | ChunkRow
      | undefined;
  }

  /** Chunks that may hold points of [from, to), ascending. Its first may end before `from`. */
  chunks(series: number, from: number, to: number): ChunkRow[] {
    return this.#sql(
      `${SELECT_CHUNK} WHERE series = ?1 AND start < ?3
       AND start >= coalesce((SELECT max(start) FROM chunk WHERE series = ?1 AND start <= ?2), ?2) ORDER BY start`,
    ).all(series, from, to) as unknown as ChunkRow[];
  }

  /** The last chunk that starts at or before `time` and the first behind it, passing over those in `except`. */
  neighbours(series: number, time: number, except: number[]): { before?: ChunkRow; after?: ChunkRow } {
    const pick = (comparison: string, order: string) =>
      this.#sql(
        `${SELECT_CHUNK} WHERE series = ? AND start ${comparison} ? AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY start ${order} LIMIT 1`,
      ).get(series, time, JSON.stringify(except)) as ChunkRow | undefined;
    const before = pick('<=', 'DESC');
    const after = pick('>', 'ASC');
    return { ...(before && { before }), ...(after && { after }) };
  }

  load(id: number, capacity = 0): Chunk {
    const row = this.#sql('SELECT data FROM chunk WHERE id = ?').get(id);
    const chunk = new Chunk(decodeChunk(row!.data as Uint8Array, capacity));
    chunk.id = id;
    return chunk;
  }

  /** Saves all the chunks, and how far that brings us, or nothing. Gives new chunks their ids. */
  save(chunks: { series: number; chunk: Chunk }[], durable: Durable): void {
    const ids = inTransaction(this.#db, () => {
      this.#saveDurable(durable);
      return chunks.map(({ series, chunk }) => this.#saveChunk(series, chunk));
    });
    for (const [at, { chunk }] of chunks.entries()) {
      chunk.id = ids[at]!;
      chunk.unsavedFrom = Number.POSITIVE_INFINITY;
    }
  }

  /** Chunks of a series that end before `before`. */
  expired(series: number, before: number): ChunkRow[] {
    return this.#sql(`${SELECT_CHUNK} WHERE series = ?1 AND start < ?2 AND "end" < ?2`).all(
      series,
      before,
    ) as unknown as ChunkRow[];
  }

  nextSeries(after: number): number | undefined {
    return this.#sql('SELECT id FROM series WHERE id > ? ORDER BY id LIMIT 1').get(after)?.id as number | undefined;
  }

  /** Drops chunks and leaves their points' hourly summaries, in one transaction: nothing is counted twice. */
  replaceByHours(chunks: { series: number; id: number }[]): void {
    inTransaction(this.#db, () => {
      for (const { series, id } of chunks) {
        for (const [start, summary] of hoursOf(this.load(id))) this.#addHour(series, start, summary);
        this.#sql('DELETE FROM chunk WHERE id = ?').run(id);
      }
    });
  }

  /** Hourly summaries that lie, at least in part, in [from, to). */
  hours(series: number, from: number, to: number): ({ start: number } & Summary)[] {
    const rows = this.#sql(
      'SELECT start, count, min, max, sum FROM hour WHERE series = ? AND start > ? AND start < ? ORDER BY start',
    );
    return (rows.all(series, from - HOUR, to) as unknown as ({ start: number } & Summary)[]).map(withSum);
  }

  close(): void {
    this.#db.close();
  }

  #find({ device, point, metric }: SeriesKey) {
    return this.#sql('SELECT id, journal_index FROM series WHERE device = ? AND point = ? AND metric = ?').get(
      device,
      point,
      metric,
    );
  }

  #adopt({ index, device, point, metric }: SeriesRow): number {
    const row = this.#sql(
      `INSERT INTO series(journal_index, device, point, metric) VALUES(?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET journal_index = excluded.journal_index RETURNING id`,
    ).get(index, device, point, metric);
    return row!.id as number;
  }

  #saveDurable({ below, at }: Durable): void {
    const update = this.#sql('UPDATE meta SET value = ? WHERE name = ?');
    update.run(below, 'durable_below');
    update.run(at, 'durable_at');
  }

  #saveChunk(series: number, chunk: Chunk): number {
    const { min, max, sum, count } = summarize(chunk);
    const columns = [chunk.start, chunk.end, count, min, max, sum, encodeChunk(chunk)] as const;
    if (chunk.id !== 0) {
      const update =
        'UPDATE chunk SET start = ?, "end" = ?, count = ?, min = ?, max = ?, sum = ?, data = ? WHERE id = ?';
      this.#sql(update).run(...columns, chunk.id);
      return chunk.id;
    }
    const insert = 'INSERT INTO chunk(series, start, "end", count, min, max, sum, data) VALUES(?, ?, ?, ?, ?, ?, ?, ?)';
    return Number(this.#sql(insert).run(series, ...columns).lastInsertRowid);
  }

  #addHour(series: number, start: number, { count, min, max, sum }: Summary): void {
    this.#sql(
      `INSERT INTO hour(series, start, count, min, max, sum) VALUES(?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
       count = count + excluded.count, min = min(min, excluded.min), max = max(max, excluded.max), sum = sum + excluded.sum`,
    ).run(series, start, count, min, max, sum);
  }
}

const SELECT_CHUNK = 'SELECT id, start, "end", count, min, max, sum FROM chunk';

/** SQLite keeps NaN as NULL. */
function withSum<Row extends Summary>(row: Row): Row {
  return { ...row, sum: row.sum ?? Number.NaN };
}

function hoursOf({ length, times, values }: Points): Map<number, Summary> {
  const hours = new Map<number, Summary>();
  for (let row = 0; row < length; row++) {
    const start = Math.floor(times[row]! / HOUR) * HOUR;
    const hour = hours.get(start) ?? emptySummary();
    hours.set(start, hour);
    addPoint(hour, values[row]!);
  }
  return hours;
}
