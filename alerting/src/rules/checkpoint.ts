import { FireError } from '@smart-fire/core';
import { z } from 'zod';

/** Format of the checkpoints we write; 1 is read as well, another one stops the start. */
export const CHECKPOINT_FORMAT = 2;

const head = z.object({
  /** Number of the first entry that is not in it. */
  next: z.number().int(),
  listened: z.number(),
  /** `receivedAt` of the last entry; null before the first. */
  last: z.number().nullable(),
  /** Telemetry is being refused. */
  deaf: z.boolean().default(false),
  /** How long it was in all (ms of `listened`). */
  deafMs: z.number().default(0),
  /** Devices that declared something and have not restored it, or are being tested (until, listened time). */
  disturbed: z.array(z.object({ device: z.string(), words: z.array(z.string()), tested: z.number() })).default([]),
});
export type CheckpointHead = z.infer<typeof head>;

const partHeader = z.object({
  /** `make`: what the state is made of; format 1 knew only its size. */
  rules: z.array(z.object({ id: z.string(), size: z.number().int(), make: z.string().optional() })),
  /** Ids of devices, and keys of zones. */
  names: z.array(z.string()),
  /** Rows whose raise is withheld. */
  withheld: z.array(z.number().int()).default([]),
  /** Of rows of a zone: the series that fed it last. */
  sources: z.array(z.tuple([z.number().int(), z.number().int()])).default([]),
  /** Beside the rows: series that rules know up to a time (ms UTC) the journal does not have yet, see `Foreseen`. */
  foreseen: z.array(z.tuple([z.number().int(), z.number()])).default([]),
});

/**
 * Some of the engine's state, free of this process's own numbering: rows of rule (index into `rules`), subject (the journal's number of a
 * series, or index into `names`), then the rule's numbers.
 */
export interface CheckpointPart extends z.infer<typeof partHeader> {
  rows: Float64Array;
}

/** A checkpoint is a head and, under `{generation}`, parts that were written before it. */
const manifest = head.extend({ generation: z.number().int(), parts: z.number().int() });
export type CheckpointManifest = z.infer<typeof manifest>;

const formatOne = z.object({
  ...head.shape,
  rules: partHeader.shape.rules,
  devices: z.array(z.string()),
});

export function encodeManifest(of: CheckpointManifest): Uint8Array {
  return Buffer.from(JSON.stringify(of));
}

/** Throws FIRE_FORMAT_UNKNOWN for a format we do not know and for bytes that are damaged. */
export function decodeManifest(format: number, bytes: Uint8Array): CheckpointManifest {
  if (format !== 1 && format !== CHECKPOINT_FORMAT) throw refuse(format);
  return undamaged(() => {
    if (format === CHECKPOINT_FORMAT) return manifest.parse(JSON.parse(Buffer.from(bytes).toString()));
    return { ...head.parse(readBlock(bytes).json), generation: 0, parts: 0 };
  });
}

/** The one part of format 1, which was head and rows in one. */
export function decodeFormatOne(bytes: Uint8Array): CheckpointPart {
  return undamaged(() => {
    const { json, rows } = readBlock(bytes);
    const { rules, devices } = formatOne.parse(json);
    return { rules, names: devices, withheld: [], sources: [], foreseen: [], rows };
  });
}

/** Layout: length of the header (u32 LE), header as JSON, zeros up to a multiple of 8, rows as f64 LE. */
export function encodePart({ rows, ...header }: CheckpointPart): Uint8Array {
  const json = Buffer.from(JSON.stringify(header));
  const start = Math.ceil((4 + json.length) / 8) * 8;
  const bytes = new Uint8Array(start + rows.byteLength);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 4);
  bytes.set(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength), start);
  return bytes;
}

/** Throws FIRE_FORMAT_UNKNOWN for bytes that are damaged. */
export function decodePart(bytes: Uint8Array): CheckpointPart {
  return undamaged(() => {
    const { json, rows } = readBlock(bytes);
    return { ...partHeader.parse(json), rows };
  });
}

function readBlock(bytes: Uint8Array): { json: unknown; rows: Float64Array } {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const json: unknown = JSON.parse(Buffer.from(bytes.subarray(4, 4 + length)).toString());
  const start = Math.ceil((4 + length) / 8) * 8;
  // Copied: a view from a database need not lie on a multiple of 8.
  return { json, rows: new Float64Array(bytes.slice(start).buffer) };
}

function undamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw refuse('damaged', error);
  }
}

function refuse(found: unknown, cause?: unknown): FireError {
  const file = 'checkpoint of the rule engine';
  return new FireError('FIRE_FORMAT_UNKNOWN', { file, found, known: CHECKPOINT_FORMAT }, cause);
}
