import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers';
import { workerData } from 'node:worker_threads';
import type { DeadLetter, DeadLetterQuery } from '../../ports/journal.ts';
import { serve, wordsOf } from '../worker-server.ts';
import { joinMarks } from './batch-codec.ts';
import { emptyPosition, logFiles, prepareLogFiles, readLog } from './commit-log-file.ts';
import { decodeRecords } from './commit-record.ts';
import { JournalFile, type StoredBatch } from './journal-file.ts';

let journal: JournalFile | null = null;
let tidying = false;
/** What the other side was last told of the file's size. */
let told = 0;

const calls = {
  open({ now }: { now: number }) {
    const { file } = workerData as { file: string };
    const logs = logFiles(file);
    const left = existsSync(file) ? undefined : logs.find((log) => existsSync(log));
    if (left) throw new Error(`${file} is missing but ${left} is there; put the file back, or remove its logs`);
    journal = new JournalFile(workerData);
    const log = readLog(logs, journal.seq);
    const waiting = journal.recover(log.commits, now);
    // What there is no room for stays where it is, and the log goes on behind it.
    if (waiting.length === 0) prepareLogFiles(logs);
    const position = waiting.length === 0 ? emptyPosition() : log.position;
    const state = journal.state(now);
    const commits = waiting.map(({ commit }) => commit);
    return {
      ...state,
      nextNo: state.nextNo + commits.reduce((sum, { count }) => sum + count, 0),
      series: [...state.series, ...commits.flatMap(({ newSeries }) => newSeries)],
      marks: joinMarks([state.marks, ...commits.flatMap(({ marks }) => marks ?? [])])!,
      ...{ position, waiting, applied: journal.seq, bytes: journal.usedBytes },
    };
  },
  /** What was not taken, and why, is told beside what was. */
  apply(records: Uint8Array<ArrayBuffer>) {
    const commits = decodeRecords(Buffer.from(records.buffer));
    const { error } = journal!.apply(commits.filter(({ seq }) => seq > journal!.seq));
    tidySoon();
    told = journal!.usedBytes;
    return { seq: journal!.seq, bytes: told, refusal: error === null ? null : wordsOf(error) };
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
