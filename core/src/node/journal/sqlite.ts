import { FireError } from '../../errors.ts';
import { batchFrom } from '../../journal-batch.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CommitExtras, DeadLetter, DeadLetterQuery, Journal, JournalBatch } from '../../ports/journal.ts';
import { errorFrom, WorkerClient } from '../worker-client.ts';
import { Applying } from './applying.ts';
import { decodeMarks, decodeReadings, decodeRest, encodeMarks, encodeReadings, encodeRest } from './batch-codec.ts';
import { CommitLog } from './commit-log.ts';
import { logFiles } from './commit-log-file.ts';
import { encodeRecord } from './commit-record.ts';
import { isFull, type StoredBatch, type StoredCommit } from './journal-file.ts';
import type { JournalCalls } from './worker.ts';

/** Numbers read in one go, so that what is applied gets its turn while a consumer catches up. */
const READ_STEP = 65_536;
/** Above this share of the cap only batches without readings are taken. */
const READINGS_SHARE = 0.95;

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

/** What is there while the journal is open. */
interface Opened {
  worker: WorkerClient<JournalCalls>;
  log: CommitLog;
  applying: Applying;
}

/**
 * The journal in one SQLite file with a log in front: a commit is durable when it is in the log, which costs one flush of the disk; a worker
 * thread takes what is in the log into the file, many commits in one transaction. When that thread dies every call rejects with
 * FIRE_JOURNAL_IO until `open` is called again: only opening tells whether the commits that were in flight are there.
 */
export function createSqliteJournal({ file, max, clock, onDeath, maxPages }: SqliteJournalOptions): Journal {
  const unavailable = (reason: string) => new FireError('FIRE_JOURNAL_IO', { reason });
  const full = () => new FireError('FIRE_JOURNAL_FULL', { max });
  const cursors = new Map<string, number>();
  let opened: Opened | null = null;
  /** In use in the file, as of the last word of the worker. */
  let bytes = 0;
  /** The last of those that are committed one after the other. */
  let careful: Promise<void> | null = null;

  const here = (): Opened => {
    if (!opened || opened.worker.dead) throw unavailable(opened ? 'the worker thread ended' : 'it is not open');
    return opened;
  };

  /** While the file may have no room: what waits for it goes in first, then it is known. One commit after the other. */
  async function commitCarefully(stored: StoredCommit, size: number, limit: number): Promise<void> {
    const { log, applying } = here();
    await applying.flush();
    // The log itself has room for events.
    if (applying.failure && (stored.readings !== null || !isFull(applying.failure))) throw applying.failure;
    if (bytes + applying.bytes + size > limit) throw full();
    await log.append(stored);
  }

  async function commit(stored: StoredCommit): Promise<void> {
    const { log, applying } = here();
    const size = (stored.readings?.length ?? 0) + (stored.rest?.length ?? 0) + 28 * (stored.marks?.device.length ?? 0);
    const limit = max * (stored.readings === null ? 1 : READINGS_SHARE);
    try {
      if (careful === null && !applying.failure && bytes + applying.bytesMost + size <= limit) await log.append(stored);
      else {
        const before = careful ?? Promise.resolve();
        const mine = before.catch(() => {}).then(() => commitCarefully(stored, size, limit));
        careful = mine;
        await mine.finally(() => {
          if (careful === mine) careful = null;
        });
      }
    } catch (error) {
      throw error instanceof FireError ? error : unavailable((error as Error).message);
    }
  }

  return {
    async open() {
      if (opened && !opened.worker.dead) throw unavailable('it is already open');
      opened?.applying.stop();
      await opened?.log.close();
      opened = null;
      const worker = new WorkerClient<JournalCalls>(
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
        const state = await worker.call('open', { now: clock.now() });
        const { nextNo, firstNo, series, applied, waiting, position } = state;
        const applying: Applying = new Applying(
          {
            clock,
            async apply(records) {
              const answer = await worker.call('apply', records, [records.buffer]);
              bytes = answer.bytes;
              return { seq: answer.seq, error: answer.refusal && errorFrom(answer.refusal, unavailable) };
            },
            applied: (upTo) => log.release(upTo),
            stuck: (error) => log.refuseWaiting(error),
          },
          applied,
        );
        const log = await CommitLog.open({
          ...{ files: logFiles(file), position, nextNo },
          ...{ seq: waiting.at(-1)?.seq ?? applied, releasedSeq: applied },
          kept: (record, seq) => applying.add(record, seq),
          crowded: () => void applying.flush(),
        });
        opened = { worker, log, applying };
        bytes = state.bytes;
        for (const { commit, seq } of waiting) {
          const { bytes, length } = encodeRecord(commit, seq, 0, null);
          applying.add(bytes.subarray(0, length), seq);
        }
        if (waiting.length > 0) await applying.flush();
        cursors.clear();
        for (const [consumer, no] of Object.entries(state.cursors)) cursors.set(consumer, no);
        return { nextNo, firstNo, series, marks: decodeMarks(state.marks), cursors: state.cursors };
      } catch (error) {
        await worker.terminate();
        throw error;
      }
    },
    async commit({ firstNo, count, readings, entries, newSeries }, { deadLetters, marks }: CommitExtras) {
      // The columns go on as they lie, without a copy: see `Journal.commit`.
      await commit({
        ...{ firstNo, count, newSeries, deadLetters, now: clock.now() },
        readings: readings.length === 0 ? null : encodeReadings(readings),
        rest: encodeRest(entries, newSeries),
        marks: marks.length === 0 ? null : encodeMarks(marks),
      });
    },
    async read(fromNo, maxEntries) {
      const { worker, applying } = here();
      // Before the file is asked: what goes into it meanwhile must not be missed by both.
      const waiting = applying.commits;
      const batches: JournalBatch[] = [];
      let next = fromNo;
      let left = maxEntries;
      const take = (stored: StoredBatch): boolean => {
        const batch = batchFrom(decode(stored), next);
        if (batch.count > left && batches.length > 0) return false;
        batches.push(batch);
        left -= batch.count;
        next = batch.firstNo + batch.count;
        return true;
      };
      while (left > 0) {
        const step = await worker.call('read', { fromNo: next, maxEntries: Math.min(left, READ_STEP) });
        if (step.length === 0) {
          waiting.filter(({ firstNo, count }) => count > 0 && firstNo + count > next).every(take);
          break;
        }
        if (!step.every(take)) break;
      }
      return batches;
    },
    advance(consumer, no) {
      if (no <= (cursors.get(consumer) ?? 0)) return;
      cursors.set(consumer, no);
      // A dead worker is told by the next commit.
      opened?.worker.call('advance', { consumer, no }).catch(() => {});
    },
    usage() {
      const used = bytes + (opened?.applying.bytes ?? 0);
      return { bytes: used, max, full: used >= max * READINGS_SHARE || isFull(opened?.applying.failure) };
    },
    async deadLetters(query) {
      const { worker, applying } = here();
      await applying.flush();
      // All that was committed before the call is in the file, unless there was no room for it.
      const waiting = applying.failure ? applying.commits.flatMap((stored) => stored.deadLetters) : [];
      const stored = await worker.call('deadLetters', query);
      if (waiting.length === 0 || query.before !== undefined) return stored;
      const [newest] = await worker.call('deadLetters', { limit: 1 });
      return withWaiting(stored, waiting, (newest?.id ?? 0) + 1, query);
    },
    async addDeadLetter(letter) {
      const { worker, applying } = here();
      await applying.flush();
      await worker.call('addDeadLetter', letter);
    },
    async close() {
      if (!opened) return;
      const { worker, log, applying } = opened;
      opened = null;
      // In this order: what is on its way becomes durable, goes into the file, and only then may another process have both.
      await log.close();
      if (!worker.dead) await applying.flush();
      applying.stop();
      await worker.close();
    },
  };
}

/** The newest letters, those of commits included that the file has no room for: they have the ids they will get. */
function withWaiting(
  stored: DeadLetter[],
  waiting: readonly Omit<DeadLetter, 'id'>[],
  first: number,
  { devices, limit }: DeadLetterQuery,
): DeadLetter[] {
  const newest = waiting
    .map((letter, index) => ({ ...letter, id: first + index }))
    .filter(({ device }) => devices?.includes(device) ?? true)
    .reverse();
  return [...newest, ...stored].slice(0, limit);
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
