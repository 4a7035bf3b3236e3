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
  /** Raw points ascending by time, at most `limit`. */
  points(query: RangeQuery, limit: number): Promise<[time: number, value: number][]>;
  /** At most `buckets` rows of equal width over [from, to); empty buckets are left out. `time` is the bucket's start. */
  buckets(query: RangeQuery, buckets: number): Promise<[time: number, min: number, mean: number, max: number][]>;
  /** Drop readings older than `before` (ms UTC), in small steps that never stall writers. Resolves with how much went, in adapter's units. */
  retain(before: number): Promise<void>;
  /** Whether the store answers now. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}
