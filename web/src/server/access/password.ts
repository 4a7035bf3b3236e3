import { hash, verify } from '@node-rs/argon2';
import { z } from 'zod';

/** NIST SP 800-63B asks for length, not for kinds of characters; the upper bound keeps hashing cheap. */
export const newPassword = z.string().min(12).max(200);

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. The algorithm is the library's default. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** argon2id as a PHC string. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, COST);
}

export function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  return verify(passwordHash, password);
}
