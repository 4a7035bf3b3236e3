import { resolve } from 'node:path';
import type { Clock } from '../../ports/clock.ts';
import type { Journal } from '../../ports/journal.ts';
import { createSqliteJournal } from './sqlite.ts';

/** The journal of `JOURNAL_URL`: `sqlite:FILE`, relative to `dataDir`. `max` is its cap in bytes. No I/O before its `open`. */
export function openJournal(
  url: string,
  { dataDir, ...options }: { dataDir: string; max: number; clock: Clock; onDeath?: (reason: string) => void },
): Journal {
  return createSqliteJournal({ file: resolve(dataDir, url.slice('sqlite:'.length)), ...options });
}
