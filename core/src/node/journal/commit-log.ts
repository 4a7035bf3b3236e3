import { close, constants, fdatasync, open, write } from 'node:fs';
import { promisify } from 'node:util';
import { LOG_BYTES, type LogPosition } from './commit-log-file.ts';
import { type Encoded, encodeRecord } from './commit-record.ts';
import type { StoredCommit } from './journal-file.ts';

/** Written and synced in one call where the system has it. */
const DSYNC = constants.O_DSYNC ?? 0;
/** The largest room kept for the next record. */
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

export interface CommitLogOptions {
  files: readonly string[];
  position: LogPosition;
  nextNo: number;
  /** Last commit there was, and the last that lies elsewhere. */
  seq: number;
  releasedSeq: number;
  /** As soon as a commit is on disk; its record is the callee's only until the call returns. */
  kept(record: Uint8Array, seq: number): void;
  /** Both files are in use: what they hold must go into the journal's own file. */
  crowded(): void;
}

/**
 * Makes commits durable: appends each to one of two files, from the thread that asks, through the pool of file operations. One is written at
 * a time, so that none ever lies behind one that is not there. One that fails is refused, and erased before anything else is written. A
 * file is used anew when everything in it has been released.
 */
export class CommitLog {
  readonly #options: CommitLogOptions;
  readonly #files: LogFile[];
  #current: LogFile;
  #nextNo: number;
  #seq: number;
  #crc: number;
  #releasedSeq: number;
  #waiting: Waiting[] = [];
  #room: Buffer | null = null;
  /** The first that waits, encoded. */
  #next: Encoded | null = null;
  /** The disk works. */
  #busy = false;
  /** A refused record may lie whole where the next one goes. */
  #toErase = false;
  #closed: (() => void) | null = null;

  private constructor(options: CommitLogOptions, fds: number[]) {
    this.#options = options;
    this.#nextNo = options.nextNo;
    this.#seq = options.seq;
    this.#releasedSeq = options.releasedSeq;
    const { files, current, crc } = options.position;
    this.#crc = crc;
    this.#files = fds.map((fd, index) => ({ fd, ...files[index]! }));
    this.#current = this.#files[current]!;
  }

  static async open(options: CommitLogOptions): Promise<CommitLog> {
    const fds: number[] = [];
    for (const file of options.files) fds.push(await promisify(open)(file, constants.O_RDWR | DSYNC));
    return new CommitLog(options, fds);
  }

  /** Resolves when it is on disk; rejects when nothing of it is kept. */
  append(commit: StoredCommit): Promise<void> {
    return new Promise((resolve, reject) => {
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
    this.#next = null;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** When what is being written has been answered; the others are refused. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#pump();
    });
    // Nothing is written any more: the numbers of these files are soon those of others.
    this.#toErase = false;
    for (const { fd } of this.#files) await promisify(close)(fd);
  }

  #pump(): void {
    if (this.#closed) this.refuseWaiting(new Error('the log is closed'));
    if (this.#busy) return;
    if (this.#toErase) this.#erase();
    else if (this.#closed) this.#closed();
    else this.#writeFirst();
  }

  #writeFirst(): void {
    let first = this.#waiting[0];
    while (first && first.commit.firstNo !== this.#nextNo) {
      first.reject(new Error(`batch ${first.commit.firstNo} was given where ${this.#nextNo} is next`));
      this.#waiting.shift();
      first = this.#waiting[0];
    }
    if (!first) return;
    const record = this.#next ?? encodeRecord(first.commit, this.#seq + 1, this.#crc, this.#room);
    if (this.#place(record.length)) {
      this.#next = null;
      this.#waiting.shift();
      this.#write(first, record);
    } else {
      this.#next = record;
      this.#options.crowded();
    }
  }

  /** Whether `#current` has room for that much; the other file becomes it when that has. */
  #place(length: number): boolean {
    if (this.#current.end === 0 || this.#current.end + length <= LOG_BYTES) return true;
    const other = this.#files[1 - this.#files.indexOf(this.#current)]!;
    if (other.lastSeq > this.#releasedSeq) return false;
    other.end = 0;
    this.#current = other;
    return true;
  }

  #write({ commit, resolve, reject }: Waiting, { bytes, length, crc }: Encoded): void {
    const file = this.#current;
    this.#toDisk(bytes, length, (error) => {
      if (error) {
        this.#toErase = true;
        reject(error);
      } else {
        file.end += length;
        file.lastSeq = ++this.#seq;
        this.#crc = crc;
        this.#nextNo += commit.count;
        this.#room = bytes.length <= ROOM_MAX ? bytes : null;
        this.#options.kept(bytes.subarray(0, length), this.#seq);
        resolve();
      }
      this.#pump();
    });
  }

  #erase(): void {
    this.#toDisk(ERASED, ERASED.length, (error) => {
      this.#toErase = error !== null;
      if (!error) {
        this.#pump();
        return;
      }
      // Tried again with the next commit.
      this.refuseWaiting(error);
      this.#closed?.();
    });
  }

  /** Where the next record goes. */
  #toDisk(bytes: Buffer, length: number, done: (error: Error | null) => void): void {
    const { fd, end } = this.#current;
    this.#busy = true;
    const answered = (error: Error | null) => {
      this.#busy = false;
      done(error);
    };
    write(fd, bytes, 0, length, end, (error, written) => {
      if (error) answered(error);
      else if (written < length) answered(new Error(`only ${written} of ${length} bytes were written`));
      else if (DSYNC === 0) fdatasync(fd, answered);
      else answered(null);
    });
  }
}
