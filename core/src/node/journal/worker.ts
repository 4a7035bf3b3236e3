import { setImmediate } from 'node:timers';
import { workerData } from 'node:worker_threads';
import type { DeadLetter, DeadLetterQuery } from '../../ports/journal.ts';
import { serve } from '../worker-server.ts';
import { JournalFile, type StoredBatch, type StoredCommit } from './journal-file.ts';

let journal: JournalFile | null = null;
let tidying = false;
/** What the other side was last told of the file's size. */
let told = 0;

const calls = {
  open({ now }: { now: number }) {
    journal = new JournalFile(workerData);
    return { ...journal.state(now), bytes: journal.usedBytes };
  },
  commit(commit: StoredCommit) {
    try {
      journal!.commit(commit);
    } finally {
      tidySoon();
    }
    told = journal!.usedBytes;
    return { bytes: told };
  },
  read({ fromNo, maxEntries }: { fromNo: number; maxEntries: number }, transfer: ArrayBuffer[]): StoredBatch[] {
    const batches = journal!.read(fromNo, maxEntries);
    for (const { readings } of batches) if (readings) transfer.push(readings.buffer as ArrayBuffer);
    return batches;
  },
  advance({ consumer, no }: { consumer: string; no: number }) {
    journal!.advance(consumer, no);
    tidySoon();
  },
  deadLetters: (query: DeadLetterQuery) => journal!.deadLetters(query),
  addDeadLetter: (letter: Omit<DeadLetter, 'id'>) => journal!.addDeadLetter(letter),
  close() {
    journal?.close();
    journal = null;
  },
};
export type JournalCalls = typeof calls;

const notify = serve(calls);

/** Tidies in small steps between calls, after the answer has gone out. */
function tidySoon(): void {
  if (tidying) return;
  tidying = true;
  setImmediate(() => {
    tidying = false;
    if (!journal) return;
    try {
      const more = journal.tidy();
      const bytes = journal.usedBytes;
      if (bytes !== told) notify({ bytes });
      told = bytes;
      if (more) tidySoon();
    } catch {
      // Tried again after the next call; a disk that cannot be written is told by the next commit.
    }
  });
}
