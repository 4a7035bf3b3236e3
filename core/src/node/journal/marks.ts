import type { DatabaseSync } from 'node:sqlite';
import type { MarkColumns } from './batch-codec.ts';

export const MARK_SCHEMA = `CREATE TABLE mark(id INTEGER PRIMARY KEY, count INTEGER NOT NULL, devices TEXT NOT NULL, data BLOB NOT NULL)`;

/** A mark is kept while it is among its device's last 256, or younger than 10 minutes. */
const KEEP = { last: 256, ms: 600_000 } as const;
/** Marks looked at in one sweep, and so the most a sweep rewrites. */
const SWEEP = 4096;

/** Marks with their ordinal within the device, by which one tells without an index how many newer ones there are. */
interface StoredMarks extends MarkColumns {
  ordinal: Float64Array;
}

/**
 * Dedupe marks as a log of blobs, one row per commit. A sweep goes round the log at twice the pace of appending, merging rows and
 * leaving out what is no longer kept: the log stays below about twice what must be kept, and no commit pays for more than its own share.
 */
export class MarkLog {
  readonly #db: DatabaseSync;
  /** Marks ever given to a device: the ordinal of its newest. */
  readonly #counts = new Map<string, number>();
  #nextId = 1;
  #sweepFrom = 0;
  #credit = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Reads the log; returns what is kept, oldest first. */
  load(now: number): MarkColumns {
    const stored: StoredMarks[] = [];
    for (const row of this.#db.prepare('SELECT id, count, devices, data FROM mark ORDER BY id').iterate()) {
      const marks = decode(row as unknown as MarkRow);
      stored.push(marks);
      this.#nextId = (row.id as number) + 1;
      for (let at = 0; at < marks.device.length; at++) {
        const device = marks.devices[marks.device[at]!]!;
        this.#counts.set(device, Math.max(this.#counts.get(device) ?? 0, marks.ordinal[at]!));
      }
    }
    return this.#merge(stored, now);
  }

  /** To be called in the commit's transaction, the function returned after it. */
  append(marks: MarkColumns): () => void {
    const length = marks.device.length;
    if (length === 0) return () => {};
    const counts = marks.devices.map((device) => this.#counts.get(device) ?? 0);
    const ordinal = new Float64Array(length);
    for (let row = 0; row < length; row++) ordinal[row] = ++counts[marks.device[row]!]!;
    this.#insert(this.#nextId, { ...marks, ordinal });
    return () => {
      this.#nextId++;
      this.#credit += 2 * length;
      for (const [index, device] of marks.devices.entries()) this.#counts.set(device, counts[index]!);
    };
  }

  get sweepDue(): boolean {
    return this.#credit >= SWEEP;
  }

  /** One step of the sweep, in a transaction of its own. */
  sweep(now: number): void {
    const rows: MarkRow[] = [];
    let count = 0;
    for (const row of this.#db
      .prepare('SELECT id, count, devices, data FROM mark WHERE id > ? ORDER BY id')
      .iterate(this.#sweepFrom)) {
      rows.push(row as unknown as MarkRow);
      count += row.count as number;
      if (count >= SWEEP) break;
    }
    this.#credit = rows.length === 0 ? 0 : this.#credit - count;
    this.#sweepFrom = rows.at(-1)?.id ?? 0;
    if (count < SWEEP) this.#sweepFrom = 0;
    if (rows.length === 0) return;
    const kept = this.#merge(rows.map(decode), now);
    if (rows.length === 1 && kept.device.length === count) return;
    this.#db.prepare('DELETE FROM mark WHERE id BETWEEN ? AND ?').run(rows[0]!.id, rows.at(-1)!.id);
    // Under the last row's id: the sweep goes on behind it, and the log stays in order of age.
    if (kept.device.length > 0) this.#insert(rows.at(-1)!.id, kept);
  }

  #merge(parts: StoredMarks[], now: number): StoredMarks {
    const size = parts.reduce((sum, part) => sum + part.device.length, 0);
    const indices = new Map<string, number>();
    const device = new Uint32Array(size);
    const hash = new BigUint64Array(size);
    const receivedAt = new Float64Array(size);
    const ordinal = new Float64Array(size);
    let length = 0;
    for (const part of parts) {
      for (let row = 0; row < part.device.length; row++) {
        const name = part.devices[part.device[row]!]!;
        if (part.ordinal[row]! <= this.#counts.get(name)! - KEEP.last && part.receivedAt[row]! < now - KEEP.ms)
          continue;
        if (!indices.has(name)) indices.set(name, indices.size);
        device[length] = indices.get(name)!;
        hash[length] = part.hash[row]!;
        receivedAt[length] = part.receivedAt[row]!;
        ordinal[length++] = part.ordinal[row]!;
      }
    }
    return {
      devices: [...indices.keys()],
      device: device.slice(0, length),
      hash: hash.slice(0, length),
      receivedAt: receivedAt.slice(0, length),
      ordinal: ordinal.slice(0, length),
    };
  }

  #insert(id: number, marks: StoredMarks): void {
    const length = marks.device.length;
    const data = new Uint8Array(28 * length);
    new BigUint64Array(data.buffer, 0, length).set(marks.hash);
    new Float64Array(data.buffer, 8 * length, length).set(marks.receivedAt);
    new Float64Array(data.buffer, 16 * length, length).set(marks.ordinal);
    new Uint32Array(data.buffer, 24 * length, length).set(marks.device);
    const row = this.#db.prepare('INSERT INTO mark(id, count, devices, data) VALUES(?, ?, ?, ?)');
    row.run(id, length, JSON.stringify(marks.devices), data);
  }
}

interface MarkRow {
  id: number;
  count: number;
  devices: string;
  data: Uint8Array;
}

function decode({ count, devices, data }: MarkRow): StoredMarks {
  const { buffer, byteOffset } = data.byteOffset % 8 === 0 ? data : data.slice();
  return {
    devices: JSON.parse(devices),
    hash: new BigUint64Array(buffer, byteOffset, count),
    receivedAt: new Float64Array(buffer, byteOffset + 8 * count, count),
    ordinal: new Float64Array(buffer, byteOffset + 16 * count, count),
    device: new Uint32Array(buffer, byteOffset + 24 * count, count),
  };
}
