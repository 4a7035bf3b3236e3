import { closeSync, existsSync, fdatasyncSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeRecord, type LoggedCommit } from './commit-record.ts';

/** Each of the two files; a commit larger than this makes its file larger. */
export const LOG_BYTES = 16 * 1024 * 1024;

const REMEDY =
  'put it back with the journal it belongs to, or an empty file in its place to go on without what it held';

/** The two files beside the journal's own that take commits in turn. */
export function logFiles(journal: string): [string, string] {
  return [`${journal}-log-a`, `${journal}-log-b`];
}

/**
 * Makes the files at their full size, written with zeros: a commit then overwrites blocks that the file has already, which costs the
 * disk one flush and can never find it full. What they hold is forgotten: it has to lie elsewhere by now.
 */
export function prepareLogFiles(files: readonly string[]): void {
  const zeros = Buffer.alloc(1024 * 1024);
  for (const file of files) {
    const fd = openSync(file, existsSync(file) ? 'r+' : 'w+');
    try {
      writeSync(fd, zeros, 0, 4, 0);
      for (let at = statSync(file).size; at < LOG_BYTES; )
        at += writeSync(fd, zeros, 0, Math.min(zeros.length, LOG_BYTES - at), at);
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
  const folder = openSync(dirname(files[0]!), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

/** Where a log goes on. */
export interface LogPosition {
  /** File by file, where its next record goes and the last commit in it. */
  files: { end: number; lastSeq: number }[];
  /** Index of the file that is written now. */
  current: number;
  /** Checksum of the last record. */
  crc: number;
}

/** Of a log whose files hold nothing. */
export function emptyPosition(): LogPosition {
  return { files: [0, 1].map(() => ({ end: 0, lastSeq: 0 })), current: 0, crc: 0 };
}

/**
 * What the files hold beyond commit `applied`, in order, and where they end. A record that was not written to its end is none, nor is what lies
 * behind it. Throws when acknowledged commits must have been there and are not: a file is missing, or begins later than the others end.
 */
export function readLog(files: readonly string[], applied: number): { commits: LoggedCommit[]; position: LogPosition } {
  const missing = files.find((file) => applied > 0 && !existsSync(file));
  if (missing) throw new Error(`${missing} is missing; ${REMEDY}`);
  const found = files
    .map((file, index) => ({ file, index, bytes: existsSync(file) ? readFileSync(file) : Buffer.alloc(0) }))
    .map((one) => ({ ...one, first: decodeRecord(one.bytes, 0)?.logged.seq ?? Infinity }))
    .filter(({ first }) => first < Infinity)
    .sort((a, b) => a.first - b.first);
  const commits: LoggedCommit[] = [];
  const position = emptyPosition();
  let last: LoggedCommit | null = null;
  for (const { file, index, bytes } of found) {
    for (let at = 0; ; ) {
      const record = decodeRecord(bytes, at);
      if (!record) break;
      const { logged, previous } = record;
      // The first of a file may be one from long ago, or the first of a start; all others follow the one before.
      const follows = last !== null && logged.seq === last.seq + 1 && previous === last.crc;
      if (!follows && at > 0) break;
      if (!follows && logged.seq > applied + 1) throw new Error(`${file} has lost what was before it; ${REMEDY}`);
      if (logged.seq > applied) commits.push(logged);
      last = logged;
      at += logged.bytes;
      position.files[index] = { end: at, lastSeq: logged.seq };
      position.current = index;
      position.crc = logged.crc;
    }
  }
  return { commits, position };
}
