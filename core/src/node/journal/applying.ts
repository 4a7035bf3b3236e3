import type { Clock, Timer } from '../../ports/clock.ts';
import { decodeRecords } from './commit-record.ts';
import type { StoredCommit } from './journal-file.ts';

/** Commits go into the journal's file together: as many as come in this time, or as this many bytes. */
const EVERY_MS = 200;
const BYTES = 1024 * 1024;
/** Bytes a commit may take in the file beyond its own: pages that are not full. */
const OVERHEAD = 32_768;

export interface ApplyingOptions {
  clock: Clock;
  /** Puts records into the file; tells how far it came and why not farther. Those that are there already are passed over. */
  apply(records: Uint8Array<ArrayBuffer>): Promise<{ seq: number; error: Error | null }>;
  /** All commits up to this one are in the file. */
  applied(seq: number): void;
  /** There is no going on now. */
  stuck(error: Error): void;
}

/** Records one behind the other. */
interface Pile {
  bytes: Buffer;
  used: number;
  count: number;
  lastSeq: number;
}

/**
 * Durable commits on their way from the log into the journal's file. They stay the records that lie in the log, in a few large pieces: a thread
 * is given those at once, and none of a thousand commits a second is an object that outlives its turn.
 */
export class Applying {
  /** Why the last try did not bring all of them in; tried again with the next commit. */
  failure: Error | null = null;
  readonly #options: ApplyingOptions;
  #piles: Pile[] = [];
  /** An empty one, to be used again. */
  #spare: Pile | null = null;
  /** Last commit that is in the file. */
  #applied: number;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;

  /** @param applied last commit that is in the file */
  constructor(options: ApplyingOptions, applied: number) {
    this.#options = options;
    this.#applied = applied;
  }

  /** Those that are not in the file. */
  get commits(): StoredCommit[] {
    return this.#piles
      .flatMap(({ bytes, used }) => decodeRecords(bytes.subarray(0, used)))
      .flatMap(({ seq, commit }) => (seq > this.#applied ? [commit] : []));
  }

  get bytes(): number {
    return this.#piles.reduce((sum, { used }) => sum + used, 0);
  }

  /** At most so many bytes more will be in use when all is in the file. */
  get bytesMost(): number {
    return 2 * this.bytes + OVERHEAD * (this.#piles.reduce((sum, { count }) => sum + count, 0) + 1);
  }

  /** Copies the record, which is the caller's. */
  add(record: Uint8Array, seq: number): void {
    const pile = this.#room(record.length);
    pile.bytes.set(record, pile.used);
    pile.used += record.length;
    pile.count++;
    pile.lastSeq = seq;
    if (this.bytes >= BYTES) void this.flush();
    else
      this.#timer ??= this.#options.clock.setTimeout(() => {
        this.#timer = null;
        void this.flush();
      }, EVERY_MS);
  }

  /** Resolves when all that is pending now is in the file, or cannot be (`failure`). Never rejects. */
  async flush(): Promise<void> {
    // What runs now may have begun before the newest came.
    await this.#running;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** What comes meanwhile waits for its own time: put in at once it would go in commit by commit. */
  async #run(): Promise<void> {
    const last = this.#piles.at(-1);
    for (let pile = this.#piles[0]; pile?.used; pile = this.#piles[0]) {
      if (this.#piles.length === 1) this.#piles.push(this.#empty(BYTES));
      const records = new Uint8Array(pile.bytes.subarray(0, pile.used));
      const { seq, error } = await this.#options
        .apply(records)
        .catch((reason: Error) => ({ seq: this.#applied, error: reason }));
      this.#applied = Math.max(this.#applied, seq);
      this.failure = error;
      if (pile.lastSeq <= this.#applied) this.#drop();
      if (this.#applied > 0) this.#options.applied(this.#applied);
      if (error) {
        this.#options.stuck(error);
        return;
      }
      if (pile === last) break;
    }
    if (this.#piles.length === 1 && this.#piles[0]!.used === 0) this.#drop();
  }

  #room(length: number): Pile {
    const last = this.#piles.at(-1);
    if (last && last.used + length <= last.bytes.length) return last;
    const pile = this.#empty(Math.max(BYTES, length));
    this.#piles.push(pile);
    return pile;
  }

  #empty(length: number): Pile {
    const spare = this.#spare;
    this.#spare = null;
    return spare && spare.bytes.length >= length
      ? spare
      : { bytes: Buffer.allocUnsafeSlow(length), used: 0, count: 0, lastSeq: 0 };
  }

  #drop(): void {
    const pile = this.#piles.shift()!;
    if (pile.bytes.length <= BYTES) this.#spare = { ...pile, used: 0, count: 0, lastSeq: 0 };
  }
}
