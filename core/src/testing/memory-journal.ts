import { FireError } from '../errors.ts';
import type {
  CommitExtras,
  DeadLetter,
  DeadLetterQuery,
  Journal,
  JournalBatch,
  JournalState,
  SeriesRow,
} from '../ports/journal.ts';

/** Rough bytes of a batch: what the columns hold, and 100 for an entry. */
function sizeOf(batch: JournalBatch): number {
  return batch.readings.length * 29 + batch.entries.length * 100;
}

/** A marks list as the port promises it: the last 256 of each device, and all of the last 10 minutes. */
function recentMarks(marks: CommitExtras['marks'], now: number): CommitExtras['marks'] {
  const perDevice = new Map<string, number>();
  const kept: CommitExtras['marks'] = [];
  for (const mark of marks.toReversed()) {
    const count = perDevice.get(mark.device) ?? 0;
    if (count >= 256 && mark.receivedAt < now - 10 * 60_000) continue;
    perDevice.set(mark.device, count + 1);
    kept.push(mark);
  }
  return kept.reverse();
}

/**
 * The journal in memory, with everything a test wants to break: commits that fail, wait or crash.
 * Opening it again gives what a restarted process would find.
 */
export class MemoryJournal implements Journal {
  batches: JournalBatch[] = [];
  readonly marks: CommitExtras['marks'] = [];
  readonly letters: DeadLetter[] = [];
  readonly cursors: Record<string, number> = {};
  readonly series: SeriesRow[] = [];
  /** Commits that were tried, failed ones included. */
  commits = 0;
  /** Set to make commits reject with it; cleared by the test. */
  failWith: Error | null = null;
  /** Telemetry is refused with FIRE_JOURNAL_FULL, event-only batches go on. */
  full = false;
  max = 20 * 1024 ** 3;
  bytes = 0;
  #hold: { promise: Promise<void>; release: () => void } | null = null;
  #nextNo = 1;
  #firstNo = 1;
  #inFlight = false;

  /** Commits wait from now on until `release` is called (a slow disk). */
  hold(): void {
    this.release();
    let release = () => {};
    const promise = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#hold = { promise, release };
  }

  release(): void {
    this.#hold?.release();
    this.#hold = null;
  }

  async open(): Promise<JournalState> {
    const now = this.marks.at(-1)?.receivedAt ?? 0;
    return {
      nextNo: this.#nextNo,
      firstNo: this.#firstNo,
      series: this.series.map((row) => ({ ...row })),
      marks: recentMarks(this.marks, now),
      cursors: { ...this.cursors },
    };
  }

  async commit(batch: JournalBatch, extras: CommitExtras): Promise<void> {
    if (this.#inFlight) throw new Error('two commits in flight');
    this.#inFlight = true;
    this.commits++;
    try {
      await this.#hold?.promise;
      if (this.failWith) throw this.failWith;
      if (this.full && batch.readings.length > 0) throw new FireError('FIRE_JOURNAL_FULL', { max: this.max });
      this.#keep(batch, extras);
    } finally {
      this.#inFlight = false;
    }
  }

  async read(fromNo: number, maxEntries: number): Promise<JournalBatch[]> {
    const found: JournalBatch[] = [];
    let entries = 0;
    for (let i = this.#indexOf(fromNo); i < this.batches.length; i++) {
      const batch = this.batches[i]!;
      if (found.length > 0 && entries + batch.count > maxEntries) break;
      found.push(batch);
      entries += batch.count;
    }
    return found;
  }

  advance(consumer: string, no: number): void {
    this.cursors[consumer] = Math.max(no, this.cursors[consumer] ?? 0);
  }

  /** Drop batches wholly below `no`, as the real one does behind its slowest consumer. */
  prune(no: number): void {
    const keep = this.#indexOf(no);
    this.batches = this.batches.slice(keep);
    this.#firstNo = this.batches[0]?.firstNo ?? this.#nextNo;
  }

  usage(): { bytes: number; max: number; full: boolean } {
    return { bytes: this.bytes, max: this.max, full: this.full };
  }

  async deadLetters(query: DeadLetterQuery): Promise<DeadLetter[]> {
    return this.letters
      .filter(
        (letter) =>
          (!query.devices || query.devices.includes(letter.device)) &&
          (query.before === undefined || letter.id < query.before),
      )
      .reverse()
      .slice(0, query.limit);
  }

  async addDeadLetter(letter: Omit<DeadLetter, 'id'>): Promise<void> {
    this.letters.push({ ...letter, id: this.letters.length + 1 });
  }

  async close(): Promise<void> {
    this.release();
  }

  #keep(batch: JournalBatch, extras: CommitExtras): void {
    if (batch.firstNo !== this.#nextNo) throw new Error(`batch starts at ${batch.firstNo}, expected ${this.#nextNo}`);
    for (const row of batch.newSeries) {
      if (row.index !== this.series.length) throw new Error(`series ${row.index} is not dense`);
      this.series.push({ ...row });
    }
    for (let i = 0; i < batch.readings.length; i++)
      if (batch.readings.series[i]! >= this.series.length) throw new Error('reading of an unknown series');
    this.#nextNo += batch.count;
    if (batch.count > 0) this.batches.push(batch);
    this.bytes += sizeOf(batch);
    this.marks.push(...extras.marks);
    for (const letter of extras.deadLetters) this.letters.push({ ...letter, id: this.letters.length + 1 });
  }

  /** Index of the first batch that holds `no` or something later. */
  #indexOf(no: number): number {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const batch = this.batches[middle]!;
      if (batch.firstNo + batch.count <= no) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
