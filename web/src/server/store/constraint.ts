import { FireError, type Words } from '@smart-fire/core';

/** https://www.sqlite.org/rescode.html: SQLITE_CONSTRAINT_FOREIGNKEY; the others of its family say "already there". */
const CONSTRAINT = 19;
const FOREIGN_KEY = 787;

/** Two people at once can pass a check that only one may pass; the store's own constraint then says the same in our words. */
export async function inOurWords<T>(what: Words, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const errcode = (error as { errcode?: unknown }).errcode;
    if (typeof errcode !== 'number' || (errcode & 0xff) !== CONSTRAINT) throw error;
    if (errcode === FOREIGN_KEY) throw new FireError('FIRE_STILL_IN_USE', { what, holds: '…' }, error);
    throw new FireError('FIRE_ALREADY_EXISTS', { what }, error);
  }
}
