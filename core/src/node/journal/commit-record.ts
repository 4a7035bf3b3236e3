import { crc32 } from 'node:zlib';
import type { CommitExtras } from '../../ports/journal.ts';
import { decodeRest, type MarkColumns } from './batch-codec.ts';
import type { AppliedCommit, StoredCommit } from './journal-file.ts';

/** "SFC1": a record of the first format. */
const MAGIC = 0x53464331;
/** What the checksum does not cover: the magic, the length, itself. */
const UNCHECKED = 12;
const HEADER_BYTES = 56;

/** What no column holds. */
interface RecordRest {
  rest: string | null;
  deadLetters: CommitExtras['deadLetters'];
  devices: string[];
}

/** A commit with its place in the chain: each record names the checksum of the one before, so that one left from earlier never follows. */
export interface LoggedCommit extends AppliedCommit {
  crc: number;
}

export interface Encoded {
  bytes: Buffer;
  length: number;
  crc: number;
}

/**
 * One commit as it lies in the log: header (magic, length, checksum, checksum of the one before, seq, first number, time, three sizes),
 * what no column holds as JSON, the readings' columns, the marks' columns. Little-endian. Written into `room` when that is large enough.
 */
export function encodeRecord(commit: StoredCommit, seq: number, previous: number, room: Buffer | null): Encoded {
  const { readings, marks } = commit;
  const rest = encodeRestOf(commit);
  const restBytes = rest === '' ? 0 : Buffer.byteLength(rest);
  const readingBytes = readings?.length ?? 0;
  const markCount = marks?.device.length ?? 0;
  const length = HEADER_BYTES + restBytes + readingBytes + 20 * markCount;
  const bytes = room && room.length >= length ? room : Buffer.allocUnsafeSlow(Math.max(4096, 2 * length));
  bytes.writeUInt32LE(MAGIC, 0);
  bytes.writeUInt32LE(length, 4);
  bytes.writeUInt32LE(previous, 12);
  bytes.writeDoubleLE(seq, 16);
  bytes.writeDoubleLE(commit.firstNo, 24);
  bytes.writeDoubleLE(commit.now, 32);
  bytes.writeUInt32LE(commit.count, 40);
  bytes.writeUInt32LE(restBytes, 44);
  bytes.writeUInt32LE(readingBytes, 48);
  bytes.writeUInt32LE(markCount, 52);
  let at = HEADER_BYTES;
  if (restBytes > 0) at += bytes.write(rest, at);
  if (readings) bytes.set(readings, at);
  at += readingBytes;
  if (marks)
    for (const column of [marks.hash, marks.receivedAt, marks.device]) {
      bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
      at += column.byteLength;
    }
  const crc = crc32(bytes.subarray(UNCHECKED, length));
  bytes.writeUInt32LE(crc, 8);
  return { bytes, length, crc };
}

/** The record that begins at `at`, with the checksum of the one before it; null where none lies whole. */
export function decodeRecord(file: Buffer, at: number): { logged: LoggedCommit; previous: number } | null {
  if (at + HEADER_BYTES > file.length || file.readUInt32LE(at) !== MAGIC) return null;
  const length = file.readUInt32LE(at + 4);
  if (length < HEADER_BYTES || at + length > file.length) return null;
  const bytes = file.subarray(at, at + length);
  const crc = bytes.readUInt32LE(8);
  if (crc32(bytes.subarray(UNCHECKED)) !== crc) return null;
  const [restBytes, readingBytes, markCount] = [44, 48, 52].map((place) => bytes.readUInt32LE(place)) as [
    number,
    number,
    number,
  ];
  const readingsAt = HEADER_BYTES + restBytes;
  const { rest, deadLetters, devices } = decodeRestOf(bytes.toString('utf8', HEADER_BYTES, readingsAt));
  const commit: StoredCommit = {
    firstNo: bytes.readDoubleLE(24),
    count: bytes.readUInt32LE(40),
    readings: readingBytes === 0 ? null : new Uint8Array(bytes.subarray(readingsAt, readingsAt + readingBytes)),
    rest,
    newSeries: decodeRest(rest).newSeries,
    deadLetters,
    marks: markCount === 0 ? null : decodeMarkBytes(bytes.subarray(readingsAt + readingBytes), markCount, devices),
    now: bytes.readDoubleLE(32),
  };
  return { logged: { commit, seq: bytes.readDoubleLE(16), bytes: length, crc }, previous: bytes.readUInt32LE(12) };
}

/** Records that lie one behind the other. Throws for bytes that are none. */
export function decodeRecords(bytes: Buffer): LoggedCommit[] {
  const records: LoggedCommit[] = [];
  for (let at = 0; at < bytes.length; ) {
    const record = decodeRecord(bytes, at);
    if (!record) throw new Error(`no record at ${at} of ${bytes.length} bytes`);
    records.push(record.logged);
    at += record.logged.bytes;
  }
  return records;
}

function encodeRestOf({ rest, deadLetters, marks }: StoredCommit): string {
  if (rest === null && deadLetters.length === 0 && !marks) return '';
  return JSON.stringify({ rest, deadLetters, devices: marks?.devices ?? [] } satisfies RecordRest);
}

function decodeRestOf(text: string): RecordRest {
  return text === '' ? { rest: null, deadLetters: [], devices: [] } : JSON.parse(text);
}

function decodeMarkBytes(bytes: Uint8Array, count: number, devices: string[]): MarkColumns {
  // A copy: where it lies in the file is no multiple of eight.
  const { buffer } = new Uint8Array(bytes);
  return {
    devices,
    hash: new BigUint64Array(buffer, 0, count),
    receivedAt: new Float64Array(buffer, 8 * count, count),
    device: new Uint32Array(buffer, 16 * count, count),
  };
}
