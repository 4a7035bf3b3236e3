import { type Clock, FireError, type Timer } from '@smart-fire/core';

/** Longer than any disk that is well takes for a commit. */
const PATIENCE_MS = 1000;

/** How far the journal is on disk: what is shown may be ahead of it, what is saved must not be. */
export class Durable {
  readonly #clock: Clock;
  #next: number;
  #refusals = 0;
  #waiting: { no: () => number; done: () => void }[] = [];
  /** It took too long, and has not come further since. */
  #late = false;

  /** @param next everything below this number is on disk */
  constructor(next: number, clock: Clock) {
    this.#next = next;
    this.#clock = clock;
  }

  get next(): number {
    return this.#next;
  }

  /** How often something that had arrived was refused. */
  get refusals(): number {
    return this.#refusals;
  }

  reach(next: number): void {
    this.#next = Math.max(this.#next, next);
    this.#late = false;
    if (this.#waiting.length > 0) this.#tell();
  }

  /** Who waits for something that was refused waits for another number now. */
  refuse(): void {
    this.#refusals++;
    this.#tell();
  }

  /** Resolves when everything below `no` is on disk. Rejects with FIRE_JOURNAL_SLOW when it takes too long. */
  until(no: () => number): Promise<void> {
    if (no() <= this.#next) return Promise.resolve();
    const late = () => new FireError('FIRE_JOURNAL_SLOW');
    if (this.#late) return Promise.reject(late());
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        timer.cancel();
      };
      const waiting = {
        no,
        done: () => {
          settle();
          resolve();
        },
      };
      const timer: Timer = this.#clock.setTimeout(() => {
        settle();
        this.#late = true;
        reject(late());
      }, PATIENCE_MS);
      this.#waiting.push(waiting);
    });
  }

  #tell(): void {
    for (const { no, done } of this.#waiting) if (no() <= this.#next) done();
  }
}
