import {
  type Clock,
  type DeadLetter,
  deviceTopic,
  type Journal,
  type JournalBatch,
  type ReadingsStore,
  type Rejected,
  type SeriesRow,
  type Timer,
} from '@smart-fire/core';

/** Readings and entries held in memory for the store; beyond it the journal is read again later. */
const QUEUE_MAX = 200_000;
/** Entries taken from the journal at a time. */
const READ_MAX = 50_000;
/** What comes within this time is written together, unless it is much: to write costs the loop the same for few as for many. */
const GATHER_MS = 250;
const GATHER_MAX = 25_000;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 30_000;

export interface WriterDeps {
  journal: Journal;
  readings: ReadingsStore;
  clock: Clock;
  /** First number to write: the cursor, or the first the journal has. */
  from: number;
  nextNo: number;
  /** Series known when the journal was opened; later ones come with their batches. */
  series: SeriesRow[];
  /** Called once when the store goes away, and once when it is back. */
  changed(error: unknown): void;
}

/**
 * Carries committed batches into the readings store, in order, at least once. While it keeps up it is fed from memory; when it has fallen
 * behind, or after a restart, it reads the journal. A store that is away is tried for ever, and nothing is lost meanwhile.
 */
export class ReadingsWriter {
  /** Next number to write. */
  position: number;
  /** Our clock when the last batch that was written had arrived. */
  writtenUpTo: number | null = null;
  /** Why writing fails now, and since when. */
  failure: { error: unknown; since: number } | null = null;
  readonly #deps: WriterDeps;
  #committedBelow: number;
  /** What the store has for good: where to go on after it failed, for it may have lost what it held in memory. */
  #durableBelow: number;
  #newestAt = 0;
  #queue: JournalBatch[] = [];
  #queued = 0;
  #opening: Promise<void> | null = null;
  #running = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: (() => void) | null = null;

  constructor(deps: WriterDeps) {
    this.#deps = deps;
    this.position = deps.from;
    this.#durableBelow = deps.from;
    this.#committedBelow = deps.nextNo;
  }

  /** Opens the store, once; after a failure the next call tries again. */
  open(): Promise<void> {
    this.#opening ??= this.#deps.readings.open(this.#deps.series).catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  start(): void {
    this.#running = true;
    // From now on the journal keeps what the store has not got.
    this.#deps.journal.advance('readings', this.position);
    this.#loop = this.#run();
  }

  /** Ends after the write under way and the little that has gathered; what is not written stays in the journal. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#wake?.();
    await this.#loop;
    // What has gathered; when that fails the journal has it.
    if (!this.failure && this.lagEntries < GATHER_MAX)
      await this.#next()
        .then((batches) => (batches.length > 0 ? this.#write(batches) : undefined))
        .catch(() => undefined);
  }

  /** Takes a committed batch; never waits. */
  push(batch: JournalBatch): void {
    this.#committedBelow = batch.firstNo + batch.count;
    this.#newestAt = this.#deps.clock.now();
    this.#queue.push(batch);
    this.#queued += batch.count;
    if (this.#queued > QUEUE_MAX) this.#forgetQueue();
    this.#wake?.();
  }

  get lagEntries(): number {
    return this.#committedBelow - this.position;
  }

  /** How much older what is written is than what is committed (s). */
  get lagSeconds(): number {
    if (this.lagEntries <= 0) return 0;
    const writtenAt = this.writtenUpTo ?? this.failure?.since ?? this.#newestAt;
    return Math.max(0, this.#newestAt - writtenAt) / 1000;
  }

  /** Batches held in memory (readings and entries), for tests of the bound. */
  get queued(): number {
    return this.#queued;
  }

  async #run(): Promise<void> {
    let retry = RETRY_MIN_MS;
    while (this.#running) {
      try {
        const batches = await this.#next();
        if (batches.length === 0) {
          // A batch may have come while `#next` was awaited; a journal that owes entries is asked again a little later.
          if (this.#running && this.#queue.length === 0) await this.#sleep(this.lagEntries > 0 ? RETRY_MIN_MS : null);
          continue;
        }
        await this.open();
        await this.#write(batches);
        retry = RETRY_MIN_MS;
        if (this.failure) this.#deps.changed(null);
        this.failure = null;
        if (this.#running && this.lagEntries < GATHER_MAX) await this.#sleep(GATHER_MS);
      } catch (error) {
        this.position = Math.min(this.position, this.#durableBelow);
        if (!this.failure) {
          this.failure = { error, since: this.#deps.clock.now() };
          this.#deps.changed(error);
        }
        if (this.#running) await this.#sleep(retry);
        retry = Math.min(retry * 2, RETRY_MAX_MS);
      }
    }
  }

  async #write(batches: JournalBatch[]): Promise<void> {
    const { journal, readings } = this.#deps;
    const { durableBelow, rejected } = await readings.write(batches);
    for (const one of rejected) await journal.addDeadLetter(letterOf(one));
    const last = batches[batches.length - 1]!;
    this.position = last.firstNo + last.count;
    this.#durableBelow = durableBelow;
    this.writtenUpTo = receivedAtOf(last) ?? this.writtenUpTo;
    this.#dropWritten();
    journal.advance('readings', durableBelow);
  }

  /** What follows `position`: from memory when it is there, else from the journal. */
  async #next(): Promise<JournalBatch[]> {
    this.#dropWritten();
    if (this.#queue.length > 0 && this.#queue[0]!.firstNo <= this.position) {
      // They stay in the queue until they are written: a failed write finds them again.
      let count = 0;
      const until = this.#queue.findIndex((batch) => {
        count += batch.count;
        return count > READ_MAX;
      });
      return until < 0 ? [...this.#queue] : this.#queue.slice(0, Math.max(1, until));
    }
    if (this.position >= this.#committedBelow) return [];
    return this.#deps.journal.read(this.position, READ_MAX);
  }

  #dropWritten(): void {
    let written = 0;
    while (written < this.#queue.length && endOf(this.#queue[written]!) <= this.position) {
      this.#queued -= this.#queue[written]!.count;
      written++;
    }
    if (written > 0) this.#queue.splice(0, written);
  }

  #forgetQueue(): void {
    this.#queue = [];
    this.#queued = 0;
  }

  /** Until `stop`, and for `null` until the next batch, else for that long. */
  #sleep(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      let timer: Timer | null = null;
      const end = () => {
        timer?.cancel();
        this.#wake = null;
        resolve();
      };
      if (ms === null) this.#wake = end;
      else {
        // A new batch must not cut the pause short.
        this.#wake = () => {
          if (!this.#running) end();
        };
        timer = this.#deps.clock.setTimeout(end, ms);
      }
    });
  }
}

function endOf(batch: JournalBatch): number {
  return batch.firstNo + batch.count;
}

function receivedAtOf({ readings, entries }: JournalBatch): number | null {
  const reading = readings.length > 0 ? readings.receivedAt[readings.length - 1]! : null;
  return entries.at(-1)?.receivedAt ?? reading;
}

function letterOf({ series, time, value, receivedAt, reason, detail }: Rejected): Omit<DeadLetter, 'id'> {
  const { device, point, metric } = series;
  return {
    device,
    topic: deviceTopic(device, 'telemetry'),
    receivedAt,
    code: reason,
    problems: [{ code: reason, index: null, path: `values.${metric}`, detail }],
    payload: JSON.stringify({ ts: time, ...(point && { point }), values: { [metric]: value } }),
    encoding: 'utf8',
  };
}
