import { CLOCK_WINDOW } from '../../../model/reading.ts';
import type { ReadingColumns, SeriesRow } from '../../../ports/journal.ts';
import type { RangeQuery, Rejected, RetentionBorders } from '../../../ports/readings.ts';
import { CHUNK_MAX, type Chunk } from './chunk.ts';
import { HOUR_MS } from './hours.ts';
import { type Durable, ReadingsFile } from './readings-file.ts';
import { retentionStep } from './retention.ts';
import { Series } from './series.ts';
import { addPoint, addSummary, Buckets } from './summary.ts';

/** Points of a sealed chunk; fewer when there are so many series that their open chunks would hold more than `OPEN_POINTS`. */
const CHUNK_POINTS = { most: 512, least: 64 } as const;
const OPEN_POINTS = 8_000_000;
/** Unsaved readings may lag by this many numbers and by this time: what a restart has to replay. */
const LAG = { numbers: 1_000_000, ms: 600_000 } as const;
/** Numbers taken between two looks at what is due to be saved. */
const SAVE_EVERY = 20_000;
const SAVE_STEP = 256;
/** Full chunks wait for each other, so that one sync serves many. */
const FULL_STEP = 64;
/** Chunks that the file has, kept for further late readings. */
const CACHED_CHUNKS = 1024;
/** How late a reading can be; the hour is for a clock of ours that is set back. */
const SETTLED_MS = CLOCK_WINDOW.past + HOUR_MS;

/** A batch as the writer hands it over: no entries, and our clock at its end. */
export interface WrittenBatch {
  firstNo: number;
  count: number;
  readings: Omit<ReadingColumns, 'flags'>;
  newSeries: SeriesRow[];
  now: number;
}

/**
 * The embedded readings store: open chunks in memory, everything else in the file. What is in memory alone has its journal number above
 * `durableBelow`, so the journal is the log. A failed save changes nothing in memory and is tried again.
 */
export class EmbeddedStore {
  readonly #file: ReadingsFile;
  /** By journal index; an id until the series is first touched. */
  readonly #byIndex: (Series | { id: number; row: SeriesRow })[] = [];
  readonly #byId = new Map<number, Series>();
  /** Chunks in the order in which they came to have something unsaved; stale where the chunk has been saved since. */
  #queue: { series: Series; chunk: Chunk; no: number }[] = [];
  #queueHead = 0;
  #full = new Set<Series>();
  #holding = new Set<Series>();
  #durableAtOpen: Durable = { below: 0, at: 0 };
  #nextNo = 0;
  #now = 0;
  #sinceSave = 0;

  constructor({ file, maxPages }: { file: string; maxPages?: number }) {
    this.#file = new ReadingsFile(file, maxPages);
  }

  /** Takes over the journal's dictionary. */
  open(rows: SeriesRow[]): void {
    const ids = this.#file.adoptSeries(rows);
    for (const [at, row] of rows.entries()) this.#byIndex[row.index] = { id: ids[at]!, row };
    this.#durableAtOpen = this.#file.durable;
  }

  write({ firstNo, count, readings, newSeries, now }: WrittenBatch): { durableBelow: number; rejected: Rejected[] } {
    const rejected: Rejected[] = [];
    const unknown = newSeries.filter(({ index }) => !this.#byIndex[index]);
    if (unknown.length > 0) {
      const ids = this.#file.addSeries(unknown);
      for (const [at, row] of unknown.entries()) this.#byIndex[row.index] = { id: ids[at]!, row };
    }
    const { no, series, time, receivedAt, value } = readings;
    for (let row = 0; row < readings.length; row++) {
      // The time tells the numbers of a journal put back from a copy, which are given a second time.
      if (no[row]! < this.#durableAtOpen.below && receivedAt[row]! <= this.#durableAtOpen.at) continue;
      this.#take(this.#touch(series[row]!), no[row]!, time[row]!, receivedAt[row]!, value[row]!, rejected);
      if (++this.#sinceSave >= SAVE_EVERY) {
        this.#nextNo = Math.max(this.#nextNo, no[row]! + 1);
        this.#now = Math.max(this.#now, receivedAt[row]!);
        this.#saveDue();
      }
    }
    this.#nextNo = Math.max(this.#nextNo, firstNo + count);
    this.#now = Math.max(this.#now, now);
    this.#saveDue();
    this.#forget();
    return { durableBelow: this.#oldestUnsaved(), rejected };
  }

  points({ from, to, ...key }: RangeQuery, limit: number): Float64Array<ArrayBuffer> {
    const found = new Float64Array(2 * limit);
    let length = 0;
    const id = this.#file.seriesId(key);
    for (const { load } of id === undefined ? [] : this.#runs(id, from, to)) {
      const { times, values, length: end, start } = span(load(), from, to);
      for (let row = start; row < end && length < limit; row++, length++) {
        found[2 * length] = times[row]!;
        found[2 * length + 1] = values[row]!;
      }
      if (length === limit) break;
    }
    return found.slice(0, 2 * length);
  }

  /** Where raw readings have been dropped, an hour counts to the bucket it begins in. */
  buckets({ from, to, ...key }: RangeQuery, count: number): [number, number, number, number][] {
    const buckets = new Buckets(from, to, count);
    const id = this.#file.seriesId(key);
    if (id === undefined) return [];
    for (const hour of this.#file.trends.hours(id, from, to)) addSummary(buckets.at(buckets.indexOf(hour.start)), hour);
    for (const { row, load } of this.#runs(id, from, to)) {
      if (row && row.start >= from && row.end < to && buckets.indexOf(row.start) === buckets.indexOf(row.end)) {
        addSummary(buckets.at(buckets.indexOf(row.start)), row);
        continue;
      }
      const { times, values, start, length } = span(load(), from, to);
      for (let at = start; at < length; at++) addPoint(buckets.at(buckets.indexOf(times[at]!)), values[at]!);
    }
    return buckets.rows();
  }

  /**
   * One step of retention from the series behind `after` on. Returns where to go on, null = done. What a reading might still come to,
   * late or replayed, stays raw: it could not be told from a new one.
   */
  retain({ readings, trends }: RetentionBorders, after: number): number | null {
    const borders = { readings: Math.min(readings, this.#settled()), trends };
    const { next, dropped } = retentionStep(this.#file, borders, after, (series, id) =>
      Boolean(this.#byId.get(series)?.chunks.some((chunk) => chunk.id === id && !chunk.saved)),
    );
    for (const { series, chunk } of dropped) this.#byId.get(series)?.drop(chunk);
    return next;
  }

  close(): void {
    try {
      while (this.#oldestUnsaved() < this.#nextNo) this.#save(this.#collect(2000, () => true));
      if (this.#nextNo > this.#file.durable.below) this.#file.save([], { below: this.#nextNo, at: this.#now });
    } finally {
      this.#file.close();
    }
  }

  /** Nothing that is older than this will come any more, nor come again by a replay. */
  #settled(): number {
    const allSaved = this.#oldestUnsaved() === this.#nextNo;
    return (allSaved ? this.#now : this.#queue[this.#queueHead]!.chunk.unsavedSince) - SETTLED_MS;
  }

  #touch(index: number): Series {
    const entry = this.#byIndex[index];
    if (entry instanceof Series) return entry;
    if (!entry) throw new Error(`series ${index} was never announced`);
    const series = new Series(entry.id, entry.row, this.#file, this.#chunkPoints());
    this.#byIndex[index] = series;
    this.#byId.set(series.id, series);
    return series;
  }

  #take(series: Series, no: number, time: number, receivedAt: number, value: number, rejected: Rejected[]): void {
    const chunk = series.chunkFor(time);
    const at = time > series.end ? chunk.length : chunk.indexOf(time);
    if (at < chunk.length && chunk.times[at] === time) {
      if (chunk.values[at] === value) return;
      const { device, point, metric } = series.row;
      const detail = `${chunk.values[at]} is stored at this time`;
      rejected.push({ series: { device, point, metric }, time, value, receivedAt, reason: 'SAME_TIME', detail });
      return;
    }
    chunk.insert(at, time, value);
    if (time > series.end) series.end = time;
    if (chunk.saved) {
      chunk.unsavedFrom = no;
      chunk.unsavedSince = receivedAt;
      this.#queue.push({ series, chunk, no });
    }
    if (chunk !== series.tail) {
      this.#holding.add(series);
      if (chunk.length > CHUNK_MAX) series.others.push(chunk.split());
    } else if (chunk.length >= this.#chunkPoints()) {
      series.seal();
      this.#full.add(series);
      this.#holding.add(series);
    }
  }

  #chunkPoints(): number {
    const share = Math.floor(OPEN_POINTS / this.#byIndex.length);
    return Math.max(CHUNK_POINTS.least, Math.min(CHUNK_POINTS.most, share));
  }

  /** Saves what has been unsaved for long, as much of it as keeps the lag bounded, and full chunks when there are many. */
  #saveDue(): void {
    const waiting = this.#queue.length - this.#queueHead;
    const step = Math.max(SAVE_STEP, Math.ceil((2 * waiting * this.#sinceSave) / LAG.numbers));
    this.#sinceSave = 0;
    const due = this.#collect(
      step,
      ({ chunk, no }) => no < this.#nextNo - LAG.numbers || chunk.unsavedSince < this.#now - LAG.ms,
    );
    if (this.#full.size >= FULL_STEP) {
      for (const series of this.#full) for (const chunk of series.others) if (!chunk.saved) due.set(chunk, series);
    }
    if (due.size > 0) this.#save(due);
  }

  /** The longest waiting chunks, with those of their series that a split has tied to them. */
  #collect(most: number, due: (entry: { chunk: Chunk; no: number }) => boolean): Map<Chunk, Series> {
    const collected = new Map<Chunk, Series>();
    for (let at = this.#queueHead; at < this.#queue.length && collected.size < most; at++) {
      const entry = this.#queue[at]!;
      if (entry.chunk.unsavedFrom !== entry.no) continue;
      if (!due(entry)) break;
      collected.set(entry.chunk, entry.series);
      for (const chunk of entry.series.others) if (!chunk.saved) collected.set(chunk, entry.series);
    }
    return collected;
  }

  #save(due: Map<Chunk, Series>): void {
    const chunks = Array.from(due, ([chunk, series]) => ({ series: series.id, chunk }));
    this.#file.save(chunks, { below: this.#oldestUnsaved(due), at: this.#now });
    for (const series of due.values()) if (series.others.every((chunk) => chunk.saved)) this.#full.delete(series);
  }

  /** The journal number below which everything is in the file (once `except` is). */
  #oldestUnsaved(except?: Map<Chunk, Series>): number {
    while (this.#queueHead < this.#queue.length && !isWaiting(this.#queue[this.#queueHead]!)) this.#queueHead++;
    if (this.#queueHead > 10_000 && this.#queueHead * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueHead);
      this.#queueHead = 0;
    }
    for (let at = this.#queueHead; at < this.#queue.length; at++) {
      const entry = this.#queue[at]!;
      if (isWaiting(entry) && !except?.has(entry.chunk)) return entry.no;
    }
    return this.#nextNo;
  }

  #forget(): void {
    let held = 0;
    for (const series of this.#holding) held += series.others.length;
    if (held <= CACHED_CHUNKS) return;
    for (const series of this.#holding) {
      series.forgetSaved();
      if (series.others.length === 0) this.#holding.delete(series);
    }
  }

  /** Chunks that may hold points of [from, to), ascending; those in memory instead of their older selves in the file. */
  #runs(id: number, from: number, to: number) {
    const held = this.#byId.get(id)?.chunks.filter((chunk) => chunk.length > 0) ?? [];
    const ids = new Set(held.map((chunk) => chunk.id));
    const rows = this.#file.chunks(id, from, to).filter((row) => !ids.has(row.id));
    return [
      ...rows.map((row) => ({ start: row.start, row, load: () => this.#file.load(row.id) })),
      ...held.map((chunk) => ({ start: chunk.start, row: null, load: () => chunk })),
    ].sort((a, b) => a.start - b.start);
  }
}

function isWaiting({ chunk, no }: { chunk: Chunk; no: number }): boolean {
  return chunk.unsavedFrom === no;
}

/** Rows of a chunk that lie in [from, to). */
function span(chunk: Chunk, from: number, to: number) {
  return { times: chunk.times, values: chunk.values, start: chunk.indexOf(from), length: chunk.indexOf(to) };
}
