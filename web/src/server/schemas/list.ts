import { FireError } from '@smart-fire/core';
import { z } from 'zod';

/** Ids that people or programs choose; they stand in paths and topics, so no slash. */
export const id = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
export const name = z.string().trim().min(1).max(200);
export const ms = z.number().int();

/** A time in a query: integer ms, or RFC 3339 with an offset. */
export const queryTime = z
  .union([z.string().regex(/^-?\d{1,15}$/), z.iso.datetime({ offset: true })])
  .transform((text) => (/^-?\d+$/.test(text) ? Number(text) : Date.parse(text)))
  .describe('Integer ms since the epoch, or RFC 3339');

export const page = {
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(500).optional().describe('`next` of the page before'),
};

/** Words separated by commas. */
export function commaList<const T extends readonly string[]>(words: T) {
  return z
    .string()
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(words)))
    .describe(`Some of ${words.join(', ')}, separated by commas`);
}

export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** Opaque to clients: a JSON position as base64url. */
export function toCursor(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position a cursor holds, undefined without one; one that we did not make is a 400. */
export function fromCursor<T>(cursor: string | undefined, shape: z.ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined;
  try {
    return shape.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (error) {
    throw new FireError('FIRE_REQUEST_INVALID', { problems: 'cursor' }, error);
  }
}

/** One page of things sorted by `key`, after the cursor's. `sorted` must be in ascending order of code units. */
export function pageOf<T>(sorted: T[], key: (item: T) => string, cursor: string | undefined, limit: number) {
  const after = fromCursor(cursor, z.string());
  const start = after === undefined ? 0 : sorted.findIndex((item) => key(item) > after);
  const items = start < 0 ? [] : sorted.slice(start, start + limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && start + limit < sorted.length ? toCursor(key(last)) : null };
}

export function byKey<T>(key: (item: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
}
