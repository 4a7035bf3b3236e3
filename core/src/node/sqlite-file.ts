import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { FireError } from '../errors.ts';

/** What a file of ours says of itself: SQLite's application id tells whose it is, `user_version` its format. */
export interface SqliteFormat {
  applicationId: number;
  version: number;
  schema: string;
  /** What makes a file of an earlier version one of the version after it. */
  upgrades?: Record<number, string | ((db: DatabaseSync) => void)>;
}

/**
 * Opens a file of ours for one process alone, WAL, every commit synced. Throws FIRE_FORMAT_UNKNOWN for a file of another program or
 * version, and the plain SQLite error for one that is damaged; only where there is no file is one made.
 */
export function openSqliteFile(file: string, format: SqliteFormat): DatabaseSync {
  if (!existsSync(file)) {
    if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0)
      throw new Error(`${file} is missing but ${file}-wal is there; put the file back, or remove both`);
    create(file, format);
  }
  // SQLite takes an empty file for a new database; ours are born complete, so an empty one has lost its contents.
  if (statSync(file).size === 0) throw new Error(`${file} is empty; put it back from a copy, or remove it`);
  const db = new DatabaseSync(file);
  try {
    // EXCLUSIVE keeps a second process out and needs no shared memory; it must come before anything is read.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    const found = { applicationId: pragma(db, 'application_id'), version: pragma(db, 'user_version') };
    const known = found.version === format.version || format.upgrades?.[found.version] !== undefined;
    if (found.applicationId !== format.applicationId || !known) {
      const words = found.applicationId === format.applicationId ? found.version : 'of another program';
      throw new FireError('FIRE_FORMAT_UNKNOWN', { file, found: words, known: format.version });
    }
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT;');
    for (let version = found.version; version < format.version; version++)
      inTransaction(db, () => {
        const upgrade = format.upgrades![version]!;
        if (typeof upgrade === 'string') db.exec(upgrade);
        else upgrade(db);
        db.exec(`PRAGMA user_version = ${version + 1}`);
      });
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Made beside and renamed, so that a kill in between leaves no half-made file. */
function create(file: string, format: SqliteFormat): void {
  const unborn = `${file}.new`;
  mkdirSync(dirname(file), { recursive: true });
  for (const leftover of [unborn, `${unborn}-wal`, `${unborn}-shm`]) rmSync(leftover, { force: true });
  const db = new DatabaseSync(unborn);
  db.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN; ${format.schema};
    PRAGMA application_id = ${format.applicationId}; PRAGMA user_version = ${format.version}; COMMIT;`);
  db.close();
  renameSync(unborn, file);
  const folder = openSync(dirname(file), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

export function pragma(db: DatabaseSync, name: string): number {
  return Object.values(db.prepare(`PRAGMA ${name}`).get()!)[0] as number;
}

/** Prepares each text once. */
export function statementCache(db: DatabaseSync): (sql: string) => StatementSync {
  const statements = new Map<string, StatementSync>();
  return (sql) => {
    let statement = statements.get(sql);
    if (!statement) {
      statement = db.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
}

/** All of `work` or nothing. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite rolls back by itself after some errors.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Whether the disk (or the page limit) had no room. */
export function isDiskFull(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 13;
}
