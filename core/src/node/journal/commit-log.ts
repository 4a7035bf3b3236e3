import { close, constants, fdatasync, open, write } from 'node:fs';
import { promisify } from 'node:util';
import { LOG_BYTES } from './commit-log-file.ts';
import { type Encoded, encodeRecord } from './commit-record.ts';
import type { StoredCommit } from './journal-file.ts';

/** Written and synced in one call where the system has it. */
const DSYNC = constants.O_DSYNC ?? 0;
/** Rooms for records kept for the next ones, and the largest kept. */
const ROOMS_MAX = 4;
const ROOM_MAX = 1024 * 1024;
const ERASED = Buffer.alloc(4);

interface LogFile {
  fd: number;
  /** Where the next record goes. */
  end: number;
  /** Last commit in it. */
  lastSeq: number;
}

interface Waiting {
  commit: StoredCommit;
  resolve(): void;
  reject(error: Error): void;
}

/** Written, or being written; what is needed to take it back. */
interface Written extends Waiting {
  seq: number;
  previous: number;
  file: LogFile;
  at: number;
  bytes: Buffer;
  length: number;
  /** Undefined while the disk works on it. */
  outcome: Error | null | undefined;
}

export interface CommitLogOptions {
  files: readonly string[];
  nextNo: number;
  /** Last commit there was. */
  seq: number;
  /** In order, as soon as a commit is on disk. */
  kept(commit: StoredCommit, seq: number, bytes: number): void;
  /** Both files are in use: what they hold must go into the journal's own file. */
  crowded(): void;
}

/**
 * Makes commits durable: appends each to one of two files, from the thread that asks, through the pool of file operations. Several may be on
 * their way at once; they are answered in order. When one fails it and all behind it are refused, and erased before anything else is
 * written. A file is used anew when everything in it has been released.
 */
export class CommitLog {
  readonly #options: CommitLogOptions;
  readonly #files: LogFile[];
  #current: LogFile;
  #nextNo: number;
  #seq: number;
  #crc = 0;
  #releasedSeq: number;
  #waiting: Waiting[] = [];
  #onDisk: Written[] = [];
  #rooms: Buffer[] = [];
  /** Encoded and without a place so far. */
  #next: Encoded | null = null;
  /** A refused record that may lie whole on the disk. */
  #toErase: { file: LogFile; at: number } | null = null;
  #erasing = false;
  #idle: (() => void)[] = [];

  private constructor(options: CommitLogOptions, fds: number[]) {
    this.#options = options;
    this.#nextNo = options.nextNo;
    this.#seq = options.seq;
    this.#releasedSeq = options.seq;
    this.#files = fds.map((fd) => ({ fd, end: 0, lastSeq: 0 }));
    this.#current = this.#files[0]!;
  }

  static async open(options: CommitLogOptions): Promise<CommitLog> {
    const fds: number[] = [];
    for (const file of options.files) fds.push(await promisify(open)(file, constants.O_RDWR | DSYNC));
    return new CommitLog(options, fds);
  }

  /** Resolves when it is on disk; rejects when nothing of it is kept. */
  append(commit: StoredCommit): Promise<void> {
    return new Promise((resolve, reject) => {
      if (commit.firstNo !== this.#nextNo) {
        reject(new Error(`batch ${commit.firstNo} was given where ${this.#nextNo} is next`));
        return;
      }
      this.#nextNo += commit.count;
      this.#waiting.push({ commit, resolve, reject });
      this.#pump();
    });
  }

  /** All commits up to this one lie elsewhere. */
  release(seq: number): void {
    this.#releasedSeq = seq;
    this.#pump();
  }

  /** Those that wait for room are refused. */
  refuseWaiting(error: Error): void {
    const refused = this.#waiting.splice(0);
    if (refused.length === 0) return;
    this.#next = null;
    this.#nextNo = refused[0]!.commit.firstNo;
    for (const { reject } of refused) reject(error);
  }

  /** When all that is on its way has come back. */
  async close(): Promise<void> {
    if (this.#onDisk.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    for (const { fd } of this.#files) await promisify(close)(fd);
  }

  #pump(): void {
    while (this.#waiting.length > 0 && !this.#failing) {
      if (this.#toErase) {
        this.#erase(this.#toErase);
        return;
      }
      const { commit } = this.#waiting[0]!;
      this.#next ??= encodeRecord(commit, this.#seq + 1, this.#crc, this.#rooms.pop() ?? null);
      const file = this.#place(this.#next.length);
      if (!file) {
        this.#options.crowded();
        return;
      }
      this.#write(this.#waiting.shift()!, this.#next, file);
      this.#next = null;
    }
  }

  /** One on its way has failed; the others have to come back first. */
  get #failing(): boolean {
    return this.#onDisk.some(({ outcome }) => outcome instanceof Error);
  }

  #place(length: number): LogFile | null {
    if (this.#current.end === 0 || this.#current.end + length <= LOG_BYTES) return this.#current;
    const other = this.#files[1 - this.#files.indexOf(this.#current)]!;
    if (other.lastSeq > this.#releasedSeq) return null;
    other.end = 0;
    this.#current = other;
    return other;
  }

  #write(waiting: Waiting, { bytes, length, crc }: Encoded, file: LogFile): void {
    const written: Written = {
      ...waiting,
      ...{ seq: this.#seq + 1, previous: this.#crc, file, at: file.end, bytes, length, outcome: undefined },
    };
    this.#onDisk.push(written);
    this.#seq = written.seq;
    this.#crc = crc;
    file.end += length;
    file.lastSeq = written.seq;
    toDisk(file.fd, bytes, length, written.at, (error) => {
      written.outcome = error;
      this.#settle();
    });
  }

  #settle(): void {
    while (this.#onDisk[0]?.outcome === null) {
      const { commit, seq, bytes, length, resolve } = this.#onDisk.shift()!;
      if (this.#rooms.length < ROOMS_MAX && bytes.length <= ROOM_MAX) this.#rooms.push(bytes);
      this.#options.kept(commit, seq, length);
      resolve();
    }
    const failed = this.#onDisk[0];
    if (failed?.outcome && this.#onDisk.every(({ outcome }) => outcome !== undefined)) this.#takeBack(failed);
    if (this.#onDisk.length === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #takeBack(failed: Written): void {
    const refused = this.#onDisk;
    this.#onDisk = [];
    for (const file of this.#files) if (file !== failed.file && file.lastSeq > failed.seq) file.lastSeq = 0;
    this.#current = failed.file;
    failed.file.end = failed.at;
    failed.file.lastSeq = failed.at === 0 ? 0 : failed.seq - 1;
    this.#seq = failed.seq - 1;
    this.#crc = failed.previous;
    this.#toErase = failed;
    for (const { reject } of refused) reject(failed.outcome!);
    // They were numbered to follow.
    this.refuseWaiting(failed.outcome!);
    this.#nextNo = failed.commit.firstNo;
  }

  #erase({ file, at }: { file: LogFile; at: number }): void {
    if (this.#erasing) return;
    this.#erasing = true;
    toDisk(file.fd, ERASED, ERASED.length, at, (error) => {
      this.#erasing = false;
      if (error) {
        this.refuseWaiting(error);
        return;
      }
      this.#toErase = null;
      this.#pump();
    });
  }
}

function toDisk(fd: number, bytes: Buffer, length: number, at: number, done: (error: Error | null) => void): void {
  write(fd, bytes, 0, length, at, (error, written) => {
    if (error) done(error);
    else if (written < length) done(new Error(`only ${written} of ${length} bytes were written`));
    else if (DSYNC === 0) fdatasync(fd, done);
    else done(null);
  });
}
