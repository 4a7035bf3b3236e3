import { createHash, randomBytes } from 'node:crypto';

/** `bytes` random bytes as base64url: session cookies, API tokens, device secrets, set-up links. */
export function randomSecret(bytes: number): string {
  return randomBytes(bytes).toString('base64url');
}

/** What is stored instead of a random secret; those have enough entropy for a plain hash (passwords do not). */
export function secretHash(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

const LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

/** A short id that people can read to each other: 50 random bits, no look-alike letters. */
export function randomId(prefix: string): string {
  return `${prefix}-${[...randomBytes(10)].map((byte) => LETTERS[byte % 32]).join('')}`;
}
