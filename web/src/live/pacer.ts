import type { Clock, Timer } from '@smart-fire/core';

/** Runs as soon as whatever poked first has finished, then at most once per window for all pokes that came meanwhile. */
export class Pacer {
  readonly #clock: Clock;
  readonly #windowMs: () => number;
  readonly #run: () => void;
  #window: Timer | null = null;
  #due = false;
  #poked = false;

  /** @param windowMs asked before each run; below 1 ms = none, so that every burst of pokes is run for by itself */
  constructor(clock: Clock, windowMs: () => number, run: () => void) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#run = run;
  }

  poke(): void {
    this.#poked = true;
    if (this.#due || this.#window) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#go();
    });
  }

  stop(): void {
    this.#window?.cancel();
    this.#window = null;
    this.#poked = false;
  }

  #go(): void {
    if (!this.#poked) return;
    this.#poked = false;
    const ms = this.#windowMs();
    if (ms >= 1)
      this.#window = this.#clock.setTimeout(() => {
        this.#window = null;
        this.#go();
      }, ms);
    this.#run();
  }
}
