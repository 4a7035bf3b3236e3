import { FireError } from '@smart-fire/core';
import { z } from 'zod';

/** Format of a checkpoint's bytes; another one stops the start. */
export const CHECKPOINT_FORMAT = 1;

const header = z.object({
  /** Number of the first entry that is not in it. */
  next: z.number().int(),
  listened: z.number(),
  /** `receivedAt` of the last entry; null before the first. */
  last: z.number().nullable(),
  rules: z.array(z.object({ id: z.string(), size: z.number().int() })),
  devices: z.array(z.string()),
});

/**
 * The engine's state at a journal number, free of this process's own numbering: rows of rule (index into `rules`),
 * series number of the journal or index into `devices`, then the rule's numbers.
 */
export interface Checkpoint extends z.infer<typeof header> {
  rows: Float64Array;
}

/** Layout: length of the header (u32 LE), header as JSON, zeros up to a multiple of 8, rows as f64 LE. */
export function encodeCheckpoint({ rows, ...head }: Checkpoint): Uint8Array {
  const json = Buffer.from(JSON.stringify(head));
  const start = Math.ceil((4 + json.length) / 8) * 8;
  const bytes = new Uint8Array(start + rows.byteLength);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  bytes.set(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength), start);
  return bytes;
}

/** Throws FIRE_FORMAT_UNKNOWN for another format and for bytes that are damaged. */
export function decodeCheckpoint(format: number, bytes: Uint8Array): Checkpoint {
  const refuse = (found: unknown, cause?: unknown) =>
    new FireError(
      'FIRE_FORMAT_UNKNOWN',
      { file: 'checkpoint of the rule engine', found, known: CHECKPOINT_FORMAT },
      cause,
    );
  if (format !== CHECKPOINT_FORMAT) throw refuse(format);
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const head = header.parse(JSON.parse(Buffer.from(bytes.subarray(4, 4 + length)).toString()));
    const start = Math.ceil((4 + length) / 8) * 8;
    // Copied: a view from a database need not lie on a multiple of 8.
    return { ...head, rows: new Float64Array(bytes.slice(start).buffer) };
  } catch (error) {
    throw refuse('damaged', error);
  }
}
