import type { Metric } from '../model/metrics.ts';

/**
 * Readings of one batch, a column each; row i of every column is one reading. `no` is ascending.
 * 29 bytes a row beside `no`.
 */
export interface ReadingColumns {
  length: number;
  /** Journal number of the reading. */
  no: Float64Array;
  /** Index into the journal's series dictionary. */
  series: Uint32Array;
  /** Time of measurement, ms UTC (see FLAG). */
  time: Float64Array;
  /** Our clock on arrival, ms UTC. */
  receivedAt: Float64Array;
  value: Float64Array;
  flags: Uint8Array;
}

/** What arrived beside readings, and what the broker saw. */
export type JournalEntry =
  | {
      no: number;
      type: 'event';
      device: string;
      point: string;
      event: string;
      detail: string | null;
      time: number;
      /** As the device sent it; null when it sent none. */
      deviceTime: number | null;
      receivedAt: number;
      flags: number;
    }
  /** What the broker saw. `reason`: connected, disconnected, keepalive, taken-over, stopped… */
  | { no: number; type: 'presence'; device: string; online: boolean; reason: string; receivedAt: number }
  /** What the device claims on its `state` topic. */
  | { no: number; type: 'state'; device: string; online: boolean; receivedAt: number }
  /** Written every `TICK_MS`, so that replay knows which time counts as listened: not that from a deaf one on, when telemetry is refused. */
  | { no: number; type: 'tick'; receivedAt: number; deaf?: true };

export const TICK_MS = 1000;

/** A series the journal has numbered. Indices are dense from 0 and never reused. */
export interface SeriesRow {
  index: number;
  device: string;
  point: string;
  metric: Metric;
}

/**
 * Who is told what arrives, synchronously and in the order of numbers. What is told as arrived is told again when it is committed; numbers
 * say what is known already.
 */
export interface JournalConsumer {
  /**
   * It is on its way to the disk: to be shown at once, and not yet to be relied on. A batch is told as far as it has come, and may be told
   * again when there is more of it; it is nobody's to keep. Some are told only when they are committed.
   */
  arrived(batch: JournalBatch): void;
  /** It is on disk; before its publishers are answered. */
  committed(batch: JournalBatch): void;
  /** The journal did not take it; before its publishers are told so, who will send it again. */
  refused(refusal: Refusal): void;
}

/** What had arrived and is not in the journal. */
export interface Refusal {
  /** Nothing from this number on was kept, and numbers go on from there anew. */
  no: number;
  /** What had these numbers, in order, told or not. Nobody's to keep. */
  batches: readonly JournalBatch[];
  /** Numbers, ascending, of the entries told that are kept after all: they come again, and before anything else, as `no`, `no + 1`… */
  kept: readonly number[];
}

/** Codes of a dead letter; the words are made from them where they are shown. */
export const DEAD_LETTER_CODES = [
  'NOT_JSON',
  'NOT_UTF8',
  'SHAPE',
  'TOO_MANY',
  'TS_REQUIRED',
  'UNKNOWN_METRIC',
  'NOT_A_NUMBER',
  'BAD_POINT',
  'BAD_EVENT',
  'SAME_TIME',
  'UNKNOWN_TOPIC',
  'TOO_LARGE',
  'DISABLED',
  'REFUSED_BY_STORE',
] as const;
export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number];

/** One refused (part of a) message of a device, kept where an operator can see it. Bounded per device and in all. */
export interface DeadLetter {
  id: number;
  device: string;
  topic: string;
  receivedAt: number;
  /** First problem's code; `problems` has them all. */
  code: DeadLetterCode;
  /** `path` is a JSON path into the payload such as `[3].values.temperature`. */
  problems: { code: DeadLetterCode; index: number | null; path: string; detail?: string }[];
  /** The payload as sent, cut at 2 KiB; base64 when it is no UTF-8. */
  payload: string;
  encoding: 'utf8' | 'base64';
}

/** One grouped commit: everything in it becomes durable together, or none of it. */
export interface JournalBatch {
  /** Number of the first entry; numbers are dense from 1. */
  firstNo: number;
  /** How many numbers the batch holds (readings + entries). */
  count: number;
  readings: ReadingColumns;
  /** Ascending by `no`, interleaved with the readings by number. */
  entries: JournalEntry[];
  /** Series used here for the first time. */
  newSeries: SeriesRow[];
}

/** What is committed beside a batch and is not replayed. */
export interface CommitExtras {
  deadLetters: Omit<DeadLetter, 'id'>[];
  /** Dedupe marks: (device, hash of seq/ts/payload) of messages that could come again. Hashes are unsigned 64-bit. */
  marks: { device: string; hash: bigint; receivedAt: number }[];
}

export interface JournalState {
  nextNo: number;
  /** Lowest number that can still be read. */
  firstNo: number;
  series: SeriesRow[];
  /** The last 256 marks of each device and all of the last 10 minutes. */
  marks: { device: string; hash: bigint; receivedAt: number }[];
  cursors: Record<string, number>;
}

/**
 * The one source of truth for what arrived.
 * Guarantees: `commit` resolves only when the batch is on disk (survives kill -9 and, with the default durability, power loss);
 * batches are committed in call order; one in flight at a time; rejects with FIRE_JOURNAL_FULL or FIRE_JOURNAL_IO, and then nothing of it is kept.
 * `read` returns batches from `fromNo` on in order. Batches below every attached consumer's cursor are pruned.
 */
export interface Journal {
  open(): Promise<JournalState>;
  /** The batch's columns are shared from then on: whoever has them reads them, and neither writes into nor transfers them. */
  commit(batch: JournalBatch, extras: CommitExtras): Promise<void>;
  /** At most `maxEntries` numbers but at least one batch; the first batch begins at `fromNo` exactly. Empty = nothing there yet. */
  read(fromNo: number, maxEntries: number): Promise<JournalBatch[]>;
  /**
   * The consumer has made everything below `no` durable on its own side. A consumer is attached by its first call (and for good):
   * call it with where you stand before anybody else moves on, or what you have not read may be pruned. Kept across restarts lazily.
   */
  advance(consumer: string, no: number): void;
  /** Bytes on disk now, the configured cap, and whether there is room for events only: near the cap, or when the disk is full. */
  usage(): { bytes: number; max: number; full: boolean };
  deadLetters(query: DeadLetterQuery): Promise<DeadLetter[]>;
  /** A consumer found something wrong later (SAME_TIME in the store, a line the store refuses). */
  addDeadLetter(letter: Omit<DeadLetter, 'id'>): Promise<void>;
  close(): Promise<void>;
}

export interface DeadLetterQuery {
  /** Only these devices; undefined = all. */
  devices?: string[];
  /** Ids below this one (newest first). */
  before?: number;
  limit: number;
}
