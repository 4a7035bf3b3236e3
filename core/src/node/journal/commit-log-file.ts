import { closeSync, existsSync, fdatasyncSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { decodeRecord, type LoggedCommit } from './commit-record.ts';

/** Each of the two files; a commit larger than this makes its file larger. */
export const LOG_BYTES = 16 * 1024 * 1024;

/** The two files beside the journal's own that take commits in turn. */
export function logFiles(journal: string): [string, string] {
  return [`${journal}-log-a`, `${journal}-log-b`];
}

/**
 * Makes the files at their full size, written with zeros: a commit then overwrites blocks that the file has already, which costs the
 * disk one flush and can never find it full.
 */
export function prepareLogFiles(files: readonly string[]): void {
  const zeros = Buffer.alloc(1024 * 1024);
  for (const file of files) {
    if (existsSync(file) && statSync(file).size >= LOG_BYTES) continue;
    const fd = openSync(file, existsSync(file) ? 'r+' : 'w+');
    try {
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

/** What the files hold beyond commit `applied`, in order. A record that was not written to its end is none, nor is what lies behind it. */
export function readLog(files: readonly string[], applied: number): LoggedCommit[] {
  const found = files
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file))
    .map((bytes) => ({ bytes, first: decodeRecord(bytes, 0)?.logged.seq ?? Infinity }))
    .filter(({ first }) => first < Infinity)
    .sort((a, b) => a.first - b.first);
  const commits: LoggedCommit[] = [];
  let last: LoggedCommit | null = null;
  for (const { bytes } of found) {
    for (let at = 0; ; ) {
      const record = decodeRecord(bytes, at);
      if (!record) break;
      const { logged, previous, length } = record;
      // The first of a file may be one from long ago, or the first of a start; all others follow the one before.
      const follows = last !== null && logged.seq === last.seq + 1 && previous === last.crc;
      if (!follows && !(at === 0 && logged.seq <= applied + 1)) break;
      if (logged.seq > applied) commits.push(logged);
      last = logged;
      at += length;
    }
  }
  return commits;
}
