import { FireError } from '../../errors.ts';
import { batchFrom } from '../../journal-batch.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Journal, JournalBatch } from '../../ports/journal.ts';
import { WorkerClient } from '../worker-client.ts';
import { decodeMarks, decodeReadings, decodeRest, encodeMarks, encodeReadings, encodeRest } from './batch-codec.ts';
import type { StoredBatch } from './journal-file.ts';
import type { JournalCalls } from './worker.ts';

/** Numbers read in one go, so that commits get their turn while a consumer catches up. */
const READ_STEP = 65_536;

/** Smaller columns are copied to the worker sooner than handed over (bytes). */
const COPIED_MAX = 64 * 1024;

export interface SqliteJournalOptions {
  file: string;
  /** Cap in bytes. */
  max: number;
  clock: Clock;
  /** The writing thread has ended unasked: nothing can be committed any more. */
  onDeath?: (reason: string) => void;
  /** Page limit of the file: a full disk, for tests. */
  maxPages?: number;
}

/**
 * The journal in one SQLite file, written by a worker thread. When that thread dies every call rejects with FIRE_JOURNAL_IO until `open`
 * is called again: only opening tells whether the commit that was in flight is in the file.
 */
export function createSqliteJournal({ file, max, clock, onDeath, maxPages }: SqliteJournalOptions): Journal {
  const unavailable = (reason: string) => new FireError('FIRE_JOURNAL_IO', { reason });
  const cursors = new Map<string, number>();
  let worker: WorkerClient<JournalCalls> | null = null;
  let bytes = 0;

  const call: WorkerClient<JournalCalls>['call'] = (method, argument, transfer) =>
    worker ? worker.call(method, argument, transfer) : Promise.reject(unavailable('it is not open'));

  return {
    async open() {
      if (worker && !worker.dead) throw unavailable('it is already open');
      const opening = new WorkerClient<JournalCalls>(
        new URL('./worker.ts', import.meta.url),
        { file, max, maxPages },
        {
          unavailable,
          ...(onDeath ? { onDeath } : {}),
          onNotice: (notice: { bytes: number }) => {
            bytes = notice.bytes;
          },
        },
      );
      try {
        const state = await opening.call('open', { now: clock.now() });
        worker = opening;
        bytes = state.bytes;
        cursors.clear();
        for (const [consumer, no] of Object.entries(state.cursors)) cursors.set(consumer, no);
        const { nextNo, firstNo, series } = state;
        return { nextNo, firstNo, series, marks: decodeMarks(state.marks), cursors: state.cursors };
      } catch (error) {
        await opening.terminate();
        throw error;
      }
    },
    async commit({ firstNo, count, readings, entries, newSeries }, { deadLetters, marks }) {
      // A copy of the columns goes to the worker: the batch itself is the consumers' after the commit.
      const blob = readings.length === 0 ? null : encodeReadings(readings);
      const rest = encodeRest(entries, newSeries);
      const columns = marks.length === 0 ? null : encodeMarks(marks);
      const commit = { firstNo, count, readings: blob, rest, newSeries, deadLetters, marks: columns, now: clock.now() };
      ({ bytes } = await call('commit', commit, blob && blob.length > COPIED_MAX ? [blob.buffer] : []));
    },
    async read(fromNo, maxEntries) {
      const batches: JournalBatch[] = [];
      let next = fromNo;
      let left = maxEntries;
      while (left > 0) {
        const stored = await call('read', { fromNo: next, maxEntries: Math.min(left, READ_STEP) });
        if (stored.length === 0) break;
        const step = stored.map((batch) => batchFrom(decode(batch), next));
        const count = step.reduce((sum, batch) => sum + batch.count, 0);
        if (count > left && batches.length > 0) break;
        batches.push(...step);
        left -= count;
        next = step.at(-1)!.firstNo + step.at(-1)!.count;
      }
      return batches;
    },
    advance(consumer, no) {
      if (no <= (cursors.get(consumer) ?? 0)) return;
      cursors.set(consumer, no);
      // A dead worker is told by the next commit.
      call('advance', { consumer, no }).catch(() => {});
    },
    usage: () => ({ bytes, max }),
    deadLetters: (query) => call('deadLetters', query),
    addDeadLetter: (letter) => call('addDeadLetter', letter),
    async close() {
      await worker?.close();
      worker = null;
    },
  };
}

function decode({ firstNo, count, readings, rest }: StoredBatch): JournalBatch {
  const { entries, newSeries } = decodeRest(rest);
  return {
    firstNo,
    count,
    readings: decodeReadings(readings ?? new Uint8Array(0), firstNo, entries),
    entries,
    newSeries,
  };
}
