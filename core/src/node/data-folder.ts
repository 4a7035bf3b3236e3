import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FireError } from '../errors.ts';

/**
 * Takes a data folder for this process alone; returns how to give it back. Two servers on one folder would number the journal twice.
 * SQLite's lock ends with its process, however that ends. Throws FIRE_CONFIG_INVALID when another has it.
 */
export function lockDataFolder(dataDir: string): () => void {
  const lock = new DatabaseSync(join(dataDir, 'lock.db'));
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    const problems = `DATA_DIR: ${dataDir} is in use by another smart-fire`;
    throw new FireError('FIRE_CONFIG_INVALID', { problems }, error);
  }
  return () => lock.close();
}
