// Loaded into a server under test: its journal's thread ends by itself once the file named in END_JOURNAL_THREAD is there.
import { existsSync } from 'node:fs';
import { isMainThread, workerData } from 'node:worker_threads';

const trigger = process.env.END_JOURNAL_THREAD!;
const isJournal = !isMainThread && String((workerData as { file?: string } | null)?.file).endsWith('journal.db');
if (isJournal)
  setInterval(() => {
    if (existsSync(trigger)) throw new Error('the journal thread was ended');
  }, 20).unref();
