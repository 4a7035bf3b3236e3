import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { SeriesKey } from '../../../model/reading.ts';
import type { SeriesRow } from '../../../ports/journal.ts';
import { inTransaction, openSqliteFile, type SqliteFormat, statementCache } from '../../sqlite-file.ts';
import { Chunk } from './chunk.ts';
import { decodeChunk, encodeChunk } from './chunk-codec.ts';
import type { Hour } from './hours.ts';
import { type Summary, summarize } from './summary.ts';
import { TREND_SCHEMA, TrendRows } from './trend-rows.ts';

// The index holds the summaries too: a long history is answered from it without touching a chunk.
const FORMAT: SqliteFormat = {
  applicationId: 0x53465231, // "SFR1"
  version: 2,
  schema: `CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    INSERT INTO meta VALUES('durable_below', 0), ('durable_at', 0);
    CREATE TABLE series(id INTEGER PRIMARY KEY, journal_index INTEGER, device TEXT NOT NULL, point TEXT NOT NULL, metric TEXT NOT NULL,
      UNIQUE(device, point, metric));
    CREATE TABLE chunk(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start REAL NOT NULL, "end" REAL NOT NULL, count INTEGER NOT NULL,
      min REAL NOT NULL, max REAL NOT NULL, sum REAL, data BLOB NOT NULL);
    CREATE INDEX chunk_by_series ON chunk(series, start, "end", count, min, max, sum);
    ${TREND_SCHEMA}`,
  upgrades: { 1: trendsOfHourRows },
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
  readonly trends: TrendRows;
  readonly #db: DatabaseSync;
  readonly #sql: (sql: string) => StatementSync;

  constructor(file: string, maxPages?: number) {
    this.#db = openSqliteFile(file, FORMAT);
    this.#sql = statementCache(this.#db);
    this.trends = new TrendRows(this.#db);
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

  /** Chunks of a series that end before `before`, the oldest `limit` of them. */
  expired(series: number, before: number, limit: number): number[] {
    const rows = this.#sql(
      'SELECT id FROM chunk WHERE series = ?1 AND start < ?2 AND "end" < ?2 ORDER BY start LIMIT ?3',
    );
    return rows.all(series, before, limit).map(({ id }) => id as number);
  }

  /** The series that follow, at most `limit`. */
  seriesBehind(after: number, limit: number): number[] {
    const rows = this.#sql('SELECT id FROM series WHERE id > ? ORDER BY id LIMIT ?').all(after, limit);
    return rows.map(({ id }) => id as number);
  }

  drop(chunk: number): void {
    this.#sql('DELETE FROM chunk WHERE id = ?').run(chunk);
  }

  inTransaction<T>(work: () => T): T {
    return inTransaction(this.#db, work);
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
}

const SELECT_CHUNK = 'SELECT id, start, "end", count, min, max, sum FROM chunk';

/** The first version had a row for each hour. */
function trendsOfHourRows(db: DatabaseSync): void {
  db.exec(TREND_SCHEMA);
  const trends = new TrendRows(db);
  const hoursOf = db.prepare('SELECT start, count, min, max, sum FROM hour WHERE series = ? ORDER BY start');
  for (const { series } of db.prepare('SELECT DISTINCT series FROM hour').all())
    trends.add(series as number, (hoursOf.all(series!) as unknown as Hour[]).map(withSum));
  db.exec('DROP TABLE hour');
}

/** SQLite keeps NaN as NULL. */
function withSum<Row extends Summary>(row: Row): Row {
  return { ...row, sum: row.sum ?? Number.NaN };
}
