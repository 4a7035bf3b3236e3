import type { CommitExtras, JournalEntry, ReadingColumns, SeriesRow } from '../../ports/journal.ts';

/** Bytes of a reading in a batch's blob: time, receivedAt and value as doubles, series as uint32, flags. */
const READING_BYTES = 29;

/**
 * Columns end to end, doubles first so that the blob can be looked into where it lies. `no` is left out: entries keep theirs, and
 * readings have the numbers between. Little-endian, as every processor Node runs on.
 */
export function encodeReadings(columns: ReadingColumns): Uint8Array<ArrayBuffer> {
  const { length } = columns;
  const blob = new Uint8Array(length * READING_BYTES);
  const views = viewsOf(blob, length);
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
  return { length, no, ...viewsOf(aligned, length) };
}

function viewsOf(blob: Uint8Array, length: number): Omit<ReadingColumns, 'length' | 'no'> {
  const { buffer, byteOffset } = blob;
  return {
    time: new Float64Array(buffer, byteOffset, length),
    receivedAt: new Float64Array(buffer, byteOffset + 8 * length, length),
    value: new Float64Array(buffer, byteOffset + 16 * length, length),
    series: new Uint32Array(buffer, byteOffset + 24 * length, length),
    flags: new Uint8Array(buffer, byteOffset + 28 * length, length),
  };
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
