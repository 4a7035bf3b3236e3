import { columnsIn, READING_BYTES } from '../../journal-batch.ts';
import type { CommitExtras, JournalEntry, ReadingColumns, SeriesRow } from '../../ports/journal.ts';

/**
 * Columns end to end as they lie in memory: without a copy where they do already. `no` is left out: entries keep theirs, and readings have
 * the numbers between. Little-endian, as every processor Node runs on.
 */
export function encodeReadings(columns: ReadingColumns): Uint8Array {
  const { length, time } = columns;
  const { buffer, byteOffset } = time;
  if (length === time.length && byteOffset === 0 && buffer.byteLength === length * READING_BYTES)
    return new Uint8Array(buffer);
  const blob = new Uint8Array(length * READING_BYTES);
  const views = columnsIn(blob.buffer, 0, length);
  for (const column of ['time', 'receivedAt', 'value', 'series', 'flags'] as const)
    views[column].set(columns[column].length === length ? columns[column] : columns[column].subarray(0, length));
  return blob;
}

export function decodeReadings(blob: Uint8Array, firstNo: number, entries: JournalEntry[]): ReadingColumns {
  const length = blob.length / READING_BYTES;
  const aligned = blob.byteOffset % 8 === 0 ? blob : blob.slice();
  const no = new Float64Array(length);
  let next = firstNo;
  let entry = 0;
  for (let row = 0; row < length; row++) {
    while (entry < entries.length && entries[entry]!.no === next) {
      entry++;
      next++;
    }
    no[row] = next++;
  }
  return { length, no, ...columnsIn(aligned.buffer, aligned.byteOffset, length) };
}

/** What a batch holds beside readings; null when it holds nothing else. */
export function encodeRest(entries: JournalEntry[], newSeries: SeriesRow[]): string | null {
  return entries.length === 0 && newSeries.length === 0 ? null : JSON.stringify({ entries, newSeries });
}

export function decodeRest(text: string | null): { entries: JournalEntry[]; newSeries: SeriesRow[] } {
  return text === null ? { entries: [], newSeries: [] } : JSON.parse(text);
}

/** Marks as columns; `device` is an index into `devices`. */
export interface MarkColumns {
  devices: string[];
  device: Uint32Array;
  hash: BigUint64Array;
  receivedAt: Float64Array;
}

export function encodeMarks(marks: CommitExtras['marks']): MarkColumns {
  const indices = new Map<string, number>();
  const columns: MarkColumns = {
    devices: [],
    device: new Uint32Array(marks.length),
    hash: new BigUint64Array(marks.length),
    receivedAt: new Float64Array(marks.length),
  };
  for (const [row, mark] of marks.entries()) {
    let index = indices.get(mark.device);
    if (index === undefined) {
      index = columns.devices.push(mark.device) - 1;
      indices.set(mark.device, index);
    }
    columns.device[row] = index;
    columns.hash[row] = mark.hash;
    columns.receivedAt[row] = mark.receivedAt;
  }
  return columns;
}

/** The marks of several commits as those of one, in order. */
export function joinMarks(parts: readonly MarkColumns[]): MarkColumns | null {
  if (parts.length <= 1) return parts[0] ?? null;
  const indices = new Map<string, number>();
  const length = parts.reduce((sum, { device }) => sum + device.length, 0);
  const joined = {
    device: new Uint32Array(length),
    hash: new BigUint64Array(length),
    receivedAt: new Float64Array(length),
  };
  let at = 0;
  for (const { devices, device, hash, receivedAt } of parts) {
    const places = devices.map((name) => {
      if (!indices.has(name)) indices.set(name, indices.size);
      return indices.get(name)!;
    });
    joined.hash.set(hash, at);
    joined.receivedAt.set(receivedAt, at);
    for (const index of device) joined.device[at++] = places[index]!;
  }
  return { devices: [...indices.keys()], ...joined };
}

/** A hash comes back as the 64 bits it was given as, unsigned. */
export function decodeMarks(columns: MarkColumns): CommitExtras['marks'] {
  return Array.from(columns.device, (index, row) => ({
    device: columns.devices[index]!,
    hash: columns.hash[row]!,
    receivedAt: columns.receivedAt[row]!,
  }));
}
