import type { Clock, Timer } from '../../ports/clock.ts';
import type { AppliedCommit, StoredCommit } from './journal-file.ts';

/** Commits go into the journal's file together: as many as come in this time, or as this many bytes. */
const EVERY_MS = 200;
const BYTES = 1024 * 1024;
/** Bytes a commit may take in the file beyond its own: pages that are not full. */
const OVERHEAD = 32_768;

export interface ApplyingOptions {
  clock: Clock;
  /** Puts commits into the file; tells how far it came and why not farther. */
  apply(commits: AppliedCommit[]): Promise<{ seq: number; error: Error | null }>;
  /** All commits up to this one are in the file. */
  applied(seq: number): void;
  /** There is no going on now. */
  stuck(error: Error): void;
}

/** Durable commits on their way from the log into the journal's file. */
export class Applying {
  /** Why the last try did not bring all of them in; tried again with the next commit. */
  failure: Error | null = null;
  readonly #options: ApplyingOptions;
  #pending: AppliedCommit[] = [];
  #bytes = 0;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;

  constructor(options: ApplyingOptions) {
    this.#options = options;
  }

  get commits(): readonly StoredCommit[] {
    return this.#pending.map(({ commit }) => commit);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** At most so many bytes more will be in use when all is in the file. */
  get bytesMost(): number {
    return 2 * this.#bytes + OVERHEAD * (this.#pending.length + 1);
  }

  add(one: AppliedCommit): void {
    this.#pending.push(one);
    this.#bytes += one.bytes;
    if (this.#bytes >= BYTES) void this.flush();
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

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      const { seq, error } = await this.#options
        .apply(this.#part())
        .catch((reason: Error) => ({ seq: 0, error: reason }));
      const taken = this.#pending.findIndex((one) => one.seq > seq);
      for (const { bytes } of this.#pending.splice(0, taken < 0 ? this.#pending.length : taken)) this.#bytes -= bytes;
      this.failure = error;
      if (seq > 0) this.#options.applied(seq);
      if (!error) continue;
      this.#options.stuck(error);
      return;
    }
  }

  #part(): AppliedCommit[] {
    let bytes = 0;
    const part: AppliedCommit[] = [];
    for (const one of this.#pending) {
      if (part.length > 0 && bytes + one.bytes > 2 * BYTES) break;
      part.push(one);
      bytes += one.bytes;
    }
    return part;
  }
}
