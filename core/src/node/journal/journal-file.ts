import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { FireError } from '../../errors.ts';
import type { DeadLetter, SeriesRow } from '../../ports/journal.ts';
import {
  inTransaction,
  isDiskFull,
  openSqliteFile,
  pragma,
  type SqliteFormat,
  statementCache,
} from '../sqlite-file.ts';
import { joinMarks, type MarkColumns } from './batch-codec.ts';
import { DEAD_LETTER_SCHEMA, DeadLetterList } from './dead-letters.ts';
import { MARK_SCHEMA, MarkLog } from './marks.ts';

/** Up to which commit of the log all is in here. */
const COMMIT_LOG_SCHEMA = `CREATE TABLE commit_log(applied INTEGER NOT NULL);
INSERT INTO commit_log VALUES(0)`;

const FORMAT: SqliteFormat = {
  applicationId: 0x53464a31, // "SFJ1"
  version: 2,
  schema: `CREATE TABLE batch(first_no INTEGER PRIMARY KEY, count INTEGER NOT NULL, crc INTEGER NOT NULL, rest TEXT, readings BLOB);
    CREATE TABLE series(idx INTEGER PRIMARY KEY, device TEXT NOT NULL, point TEXT NOT NULL, metric TEXT NOT NULL);
    CREATE TABLE cursor(consumer TEXT PRIMARY KEY, no INTEGER NOT NULL);
    ${COMMIT_LOG_SCHEMA}; ${MARK_SCHEMA}; ${DEAD_LETTER_SCHEMA}`,
  upgrades: { 1: COMMIT_LOG_SCHEMA },
};

/** Batches dropped in one step of pruning: a few milliseconds. */
const PRUNE_STEP = 64;
/** WAL bytes after which the log is moved into the file, between two commits. */
const CHECKPOINT_BYTES = 4 * 1024 * 1024;

/** A batch as it crosses threads and lies on disk. */
export interface StoredBatch {
  firstNo: number;
  count: number;
  readings: Uint8Array | null;
  rest: string | null;
}

export interface StoredCommit extends StoredBatch {
  newSeries: SeriesRow[];
  deadLetters: Omit<DeadLetter, 'id'>[];
  marks: MarkColumns | null;
  now: number;
}

/** A commit as it comes out of the log. */
export interface AppliedCommit {
  commit: StoredCommit;
  /** Counts commits from 1. */
  seq: number;
  /** Of its record. */
  bytes: number;
}

/**
 * The journal's file: where commits go from the log that made them durable, and are read, pruned and looked up. Synchronous, for the
 * worker thread. Errors are FireErrors or SQLite's own.
 */
export class JournalFile {
  readonly #db: DatabaseSync;
  readonly #sql: (sql: string) => StatementSync;
  readonly #pageSize: number;
  readonly #file: string;
  readonly #max: number;
  readonly #marks: MarkLog;
  readonly #deadLetters: DeadLetterList;
  readonly #cursors = new Map<string, number>();
  #nextNo: number;
  #seq: number;
  /** Where the oldest batch ends. */
  #firstEnd = 0;
  #cursorsMoved = false;
  #walBytes = 0;
  #usedBytes = 0;
  #now = 0;

  constructor({ file, max, maxPages }: { file: string; max: number; maxPages?: number }) {
    this.#file = file;
    this.#max = max;
    this.#db = openSqliteFile(file, FORMAT);
    this.#sql = statementCache(this.#db);
    this.#pageSize = pragma(this.#db, 'page_size');
    this.#db.exec('PRAGMA wal_autocheckpoint = 0');
    if (maxPages !== undefined) this.#db.exec(`PRAGMA max_page_count = ${maxPages}`);
    this.#marks = new MarkLog(this.#db);
    this.#deadLetters = new DeadLetterList(this.#db);
    for (const row of this.#sql('SELECT consumer, no FROM cursor').all())
      this.#cursors.set(row.consumer as string, row.no as number);
    // The newest batch is never pruned: it knows the next number.
    const last = this.#sql('SELECT first_no + count AS end FROM batch ORDER BY first_no DESC LIMIT 1').get();
    this.#nextNo = (last?.end as number | undefined) ?? 1;
    this.#seq = this.#sql('SELECT applied FROM commit_log').get()!.applied as number;
    this.#findFirst();
    this.#measure();
  }

  /** Takes in what the log holds beyond what is here: the commits before a kill. Returns those the disk has no room for. */
  recover<Commit extends AppliedCommit>(commits: readonly Commit[], now: number): Commit[] {
    if (commits.length === 0) return [];
    // Those in the log are numbered behind those that are here.
    this.#marks.load(now);
    const { error } = this.apply(commits);
    if (error && !isFull(error)) throw error;
    return commits.filter(({ seq }) => seq > this.#seq);
  }

  /** Last commit that is in here. */
  get seq(): number {
    return this.#seq;
  }

  state(now: number) {
    this.#now = now;
    const series = this.#sql('SELECT idx AS "index", device, point, metric FROM series ORDER BY idx').all();
    const first = this.#sql('SELECT min(first_no) AS no FROM batch').get()!;
    return {
      nextNo: this.#nextNo,
      firstNo: (first.no as number | null) ?? this.#nextNo,
      series: series.map((row) => ({ ...row })) as unknown as SeriesRow[],
      marks: this.#marks.load(now),
      cursors: Object.fromEntries(this.#cursors),
    };
  }

  /** Bytes in use, as of the last change. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  #measure(): void {
    const pages = this.#sql('PRAGMA page_count').get()!.page_count as number;
    const free = this.#sql('PRAGMA freelist_count').get()!.freelist_count as number;
    this.#usedBytes = (pages - free) * this.#pageSize;
  }

  /** As many of these commits as there is room for, together if that can be, and why not all. */
  apply(commits: readonly AppliedCommit[]): { error: unknown } {
    try {
      this.#insert(commits);
      return { error: null };
    } catch (error) {
      if (commits.length <= 1) return { error };
    }
    for (const one of commits) {
      try {
        this.#insert([one]);
      } catch (error) {
        return { error };
      }
    }
    return { error: null };
  }

  #insert(commits: readonly AppliedCommit[]): void {
    if (commits.length === 0) return;
    let nextNo = this.#nextNo;
    let bytes = 0;
    let marksDone = () => {};
    this.#write(() => {
      for (const { commit } of commits) {
        const { firstNo, count, readings, rest, newSeries, deadLetters } = commit;
        if (firstNo !== nextNo) throw new Error(`batch ${firstNo} was given where ${nextNo} is next`);
        nextNo += count;
        bytes += (readings?.length ?? 0) + (rest?.length ?? 0) + 8192;
        if (count > 0)
          this.#sql('INSERT INTO batch(first_no, count, crc, rest, readings) VALUES(?, ?, ?, ?, ?)').run(
            ...[firstNo, count, checksum(readings, rest), rest, readings],
          );
        const insert = this.#sql('INSERT INTO series(idx, device, point, metric) VALUES(?, ?, ?, ?)');
        for (const { index, device, point, metric } of newSeries) insert.run(index, device, point, metric);
        this.#deadLetters.add(deadLetters);
      }
      const marks = joinMarks(commits.flatMap(({ commit }) => commit.marks ?? []));
      if (marks) marksDone = this.#marks.append(marks);
      bytes += 28 * (marks?.device.length ?? 0);
      this.#sql('UPDATE commit_log SET applied = ?').run(commits.at(-1)!.seq);
      this.#saveCursors();
    });
    marksDone();
    this.#nextNo = nextNo;
    this.#seq = commits.at(-1)!.seq;
    if (this.#firstEnd === 0) this.#findFirst();
    this.#now = commits.at(-1)!.commit.now;
    this.#walBytes += bytes + 40_000;
  }

  /** Whole batches from the one that holds `fromNo` on, at least one and at most `maxEntries` numbers. */
  read(fromNo: number, maxEntries: number): StoredBatch[] {
    const batches: StoredBatch[] = [];
    let left = maxEntries;
    const rows = this.#sql(
      `SELECT first_no, count, crc, rest, readings FROM batch
         WHERE first_no >= coalesce((SELECT max(first_no) FROM batch WHERE first_no <= ?1), 0) AND first_no + count > ?1 ORDER BY first_no`,
    ).iterate(fromNo);
    for (const row of rows) {
      const firstNo = row.first_no as number;
      left -= firstNo + (row.count as number) - Math.max(firstNo, fromNo);
      if (left < 0 && batches.length > 0) break;
      const batch = {
        firstNo,
        count: row.count as number,
        readings: row.readings as Uint8Array | null,
        rest: row.rest as string | null,
      };
      if (checksum(batch.readings, batch.rest) !== row.crc)
        throw new Error(`batch ${firstNo} of ${this.#file} is damaged`);
      batches.push(batch);
    }
    return batches;
  }

  advance(consumer: string, no: number): void {
    if (no <= (this.#cursors.get(consumer) ?? 0)) return;
    this.#cursors.set(consumer, no);
    this.#cursorsMoved = true;
  }

  addDeadLetter(letter: Omit<DeadLetter, 'id'>): void {
    this.#write(() => this.#deadLetters.add([letter]));
  }

  deadLetters: DeadLetterList['list'] = (query) => this.#deadLetters.list(query);

  /** One small step of what can wait. Returns whether there is more. Needs no sync: what is undone by a crash is done again. */
  tidy(): boolean {
    if (this.#walBytes > CHECKPOINT_BYTES) {
      this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)');
      this.#walBytes = 0;
      return true;
    }
    const below = this.#pruneBelow();
    if (below < this.#firstEnd && !this.#marks.sweepDue) return false;
    this.#db.exec('PRAGMA synchronous = NORMAL');
    try {
      inTransaction(this.#db, () => {
        if (this.#marks.sweepDue) this.#marks.sweep(this.#now);
        this.#prune(below);
        this.#saveCursors();
      });
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL');
    }
    this.#cursorsMoved = false;
    this.#walBytes += 100_000;
    this.#findFirst();
    this.#measure();
    return this.#pruneBelow() >= this.#firstEnd || this.#marks.sweepDue;
  }

  close(): void {
    try {
      if (this.#cursorsMoved) this.#write(() => this.#saveCursors());
    } catch {
      // Kept lazily: what a consumer does again is there once.
    }
    this.#db.close();
  }

  /** Batches that end at or below this are not needed any more. */
  #pruneBelow(): number {
    return this.#cursors.size === 0 ? 0 : Math.min(...this.#cursors.values(), this.#nextNo - 1);
  }

  #prune(below: number): void {
    this.#sql(
      'DELETE FROM batch WHERE first_no IN (SELECT first_no FROM batch WHERE first_no < ?1 AND first_no + count <= ?1 ORDER BY first_no LIMIT ?2)',
    ).run(below, PRUNE_STEP);
  }

  #findFirst(): void {
    const row = this.#sql('SELECT first_no + count AS end FROM batch ORDER BY first_no LIMIT 1').get();
    this.#firstEnd = (row?.end as number | undefined) ?? 0;
  }

  #saveCursors(): void {
    if (!this.#cursorsMoved) return;
    const upsert = this.#sql(
      'INSERT INTO cursor(consumer, no) VALUES(?, ?) ON CONFLICT DO UPDATE SET no = excluded.no',
    );
    for (const [consumer, no] of this.#cursors) upsert.run(consumer, no);
  }

  #write(work: () => void): void {
    try {
      inTransaction(this.#db, work);
      this.#cursorsMoved = false;
      this.#measure();
    } catch (error) {
      this.#deadLetters.recount();
      throw isDiskFull(error) ? new FireError('FIRE_JOURNAL_FULL', { max: this.#max }) : error;
    }
  }
}

/** Whether there was no room: that passes, and the log takes events meanwhile. */
export function isFull(error: unknown): boolean {
  return error instanceof FireError && error.code === 'FIRE_JOURNAL_FULL';
}

function checksum(readings: Uint8Array | null, rest: string | null): number {
  return crc32(rest ?? '', readings === null ? 0 : crc32(readings));
}
