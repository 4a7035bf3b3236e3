import type { JournalBatch, JournalEntry, ReadingColumns, SeriesRow } from './ports/journal.ts';

/** An entry before it has its number. */
export type NewEntry = JournalEntry extends infer Entry
  ? Entry extends JournalEntry
    ? Omit<Entry, 'no'>
    : never
  : never;

/**
 * Gathers what arrives between two commits, in order, in growing columns, and numbers it; nothing is allocated per reading.
 * The builder keeps its contents until `clear`.
 */
export class BatchBuilder {
  /** Readings and entries gathered since the last `clear`. */
  count = 0;
  #firstNo: number;
  #columns = allocateColumns(256);
  #entries: JournalEntry[] = [];
  #newSeries: SeriesRow[] = [];

  constructor(firstNo = 1) {
    this.#firstNo = firstNo;
  }

  get firstNo(): number {
    return this.#firstNo;
  }

  get readings(): number {
    return this.#columns.length;
  }

  get entries(): number {
    return this.#entries.length;
  }

  get namesSeries(): boolean {
    return this.#newSeries.length > 0;
  }

  /** Announces a series that no committed batch has named yet. */
  addSeries(row: SeriesRow): void {
    this.#newSeries.push(row);
  }

  /** `series` is the index in the journal's dictionary; times are ms UTC. */
  addReading(series: number, time: number, receivedAt: number, value: number, flags: number): void {
    if (this.#columns.length === this.#columns.no.length)
      this.#columns = copyColumns(this.#columns, this.#columns.length * 2);
    const columns = this.#columns;
    const row = columns.length++;
    columns.no[row] = this.#firstNo + this.count++;
    columns.series[row] = series;
    columns.time[row] = time;
    columns.receivedAt[row] = receivedAt;
    columns.value[row] = value;
    columns.flags[row] = flags;
  }

  addEntry(entry: NewEntry): void {
    this.#entries.push({ ...entry, no: this.#firstNo + this.count++ } as JournalEntry);
  }

  /** What is gathered so far, where it lies: true until the next `add…`, and nobody's to keep. */
  soFar(): JournalBatch {
    const { count } = this;
    return {
      firstNo: this.#firstNo,
      count,
      readings: this.#columns,
      entries: this.#entries,
      newSeries: this.#newSeries,
    };
  }

  /** The batch as it will be committed; it owns its arrays. */
  build(): JournalBatch {
    const readings = copyColumns(this.#columns, this.#columns.length);
    const { count } = this;
    return { firstNo: this.#firstNo, count, readings, entries: [...this.#entries], newSeries: [...this.#newSeries] };
  }

  /** Begins anew, right behind what it held unless `firstNo` says otherwise. */
  clear(firstNo = this.#firstNo + this.count): void {
    this.#firstNo = firstNo;
    this.count = 0;
    // A burst must not keep its memory for ever.
    if (this.#columns.no.length > 65_536) this.#columns = allocateColumns(256);
    this.#columns.length = 0;
    this.#entries = [];
    this.#newSeries = [];
  }
}

/** What `eachInOrder` calls, in the order of numbers. `row` is an index into the columns. */
export interface BatchVisitor {
  reading(columns: ReadingColumns, row: number): void;
  entry(entry: JournalEntry): void;
}

/** Walks readings and entries of a batch in the order of their numbers. */
export function eachInOrder(batch: JournalBatch, visitor: BatchVisitor): void {
  const { readings, entries } = batch;
  let row = 0;
  for (const entry of entries) {
    while (row < readings.length && readings.no[row]! < entry.no) visitor.reading(readings, row++);
    visitor.entry(entry);
  }
  while (row < readings.length) visitor.reading(readings, row++);
}

/** The part of a batch from `no` on; shares the columns' memory. */
export function batchFrom(batch: JournalBatch, no: number): JournalBatch {
  if (no <= batch.firstNo) return batch;
  const { readings } = batch;
  const row = indexOfNo(readings.no, readings.length, no);
  return {
    firstNo: no,
    count: Math.max(0, batch.firstNo + batch.count - no),
    readings: {
      length: readings.length - row,
      no: readings.no.subarray(row, readings.length),
      series: readings.series.subarray(row, readings.length),
      time: readings.time.subarray(row, readings.length),
      receivedAt: readings.receivedAt.subarray(row, readings.length),
      value: readings.value.subarray(row, readings.length),
      flags: readings.flags.subarray(row, readings.length),
    },
    entries: batch.entries.filter((entry) => entry.no >= no),
    newSeries: batch.newSeries,
  };
}

/** Index of the first of `length` ascending numbers that is not below `no`; `length` when there is none. */
export function indexOfNo(numbers: ArrayLike<number>, length: number, no: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! < no) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bytes of a reading in its columns, `no` left out: time, receivedAt and value as doubles, series as uint32, flags. */
export const READING_BYTES = 29;

/** Columns of `length` readings that lie end to end in `buffer`, doubles first so that all can be looked into where they lie. */
export function columnsIn(
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): Omit<ReadingColumns, 'length' | 'no'> {
  return {
    time: new Float64Array(buffer, byteOffset, length),
    receivedAt: new Float64Array(buffer, byteOffset + 8 * length, length),
    value: new Float64Array(buffer, byteOffset + 16 * length, length),
    series: new Uint32Array(buffer, byteOffset + 24 * length, length),
    flags: new Uint8Array(buffer, byteOffset + 28 * length, length),
  };
}

function allocateColumns(capacity: number): ReadingColumns {
  const buffer = new ArrayBuffer(READING_BYTES * capacity);
  return { length: 0, no: new Float64Array(capacity), ...columnsIn(buffer, 0, capacity) };
}

function copyColumns(from: ReadingColumns, capacity: number): ReadingColumns {
  const to = allocateColumns(capacity);
  to.length = from.length;
  for (const column of ['no', 'series', 'time', 'receivedAt', 'value', 'flags'] as const)
    copyColumn(from[column], from.length, to[column], 0);
  return to;
}

/** Below this a view costs more than the copy. */
const SMALL = 32;

/** Copies the first `length` numbers of a column to `at` of another. */
export function copyColumn(
  from: Float64Array | Uint32Array | Uint8Array,
  length: number,
  to: Float64Array | Uint32Array | Uint8Array,
  at: number,
): void {
  if (length > SMALL) to.set(from.subarray(0, length), at);
  else for (let row = 0; row < length; row++) to[at + row] = from[row]!;
}
