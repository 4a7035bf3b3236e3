import type { SeriesKey } from '../model/reading.ts';
import type { JournalBatch, SeriesRow } from './journal.ts';

/** A reading that met another value at the same (series, ms), or that the store refuses for good. */
export interface Rejected {
  series: SeriesKey;
  time: number;
  value: number;
  receivedAt: number;
  reason: 'SAME_TIME' | 'REFUSED_BY_STORE';
  detail: string;
}

export interface RangeQuery extends SeriesKey {
  /** Inclusive, ms UTC. */
  from: number;
  /** Exclusive, ms UTC. */
  to: number;
}

/** What retention drops, ms UTC. Readings that are dropped leave hourly summaries (trends), which have a border of their own. */
export interface RetentionBorders {
  readings: number;
  trends: number;
}

/**
 * Where readings live. Adapters: embedded (node:sqlite) and InfluxDB.
 * Guarantees: a reading is stored at most once per (series, ms) however often it is written; `write` may be called again with what
 * was written before; values come back bit-exact. Methods reject with FIRE_READINGS_UNAVAILABLE while the store is away; nothing is buffered inside.
 */
export interface ReadingsStore {
  open(series: SeriesRow[]): Promise<void>;
  /**
   * Write batches in journal order. Resolves with `durableBelow`: every reading with a smaller journal number is durable in the store
   * (may lag behind what was written: replay starts there), and with what was rejected.
   * After a rejected call go on from the last `durableBelow`, not from the batch that failed: the store may have lost what it held in memory.
   */
  write(batches: JournalBatch[]): Promise<{ durableBelow: number; rejected: Rejected[] }>;
  /** Raw points ascending by time, at most `limit`. None where readings have been dropped. */
  points(query: RangeQuery, limit: number): Promise<[time: number, value: number][]>;
  /**
   * At most `buckets` rows of equal width over [from, to); empty buckets are left out. `time` is the bucket's start. Where readings
   * have been dropped the buckets are made of trends: an hour counts to the bucket it begins in, `from` being the earliest.
   */
  buckets(query: RangeQuery, buckets: number): Promise<[time: number, min: number, mean: number, max: number][]>;
  /**
   * Drop what lies before the borders, in small steps that never stall writers; a whole chunk or shard goes when all of it does. May be cut
   * off at any moment and called again. The embedded store leaves trends, and keeps raw what a late reading (CLOCK_WINDOW) may still
   * belong to. InfluxDB leaves none: what summaries it keeps is for its administrator to say.
   */
  retain(before: RetentionBorders): Promise<void>;
  /** Whether the store answers now. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}
