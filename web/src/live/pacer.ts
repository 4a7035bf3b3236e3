import type { Clock, Timer } from '@smart-fire/core';

/** Runs at the first poke at once, then at most once per window for all pokes that came meanwhile. */
export class Pacer {
  readonly #clock: Clock;
  readonly #windowMs: number;
  readonly #run: () => void;
  #window: Timer | null = null;
  #poked = false;

  constructor(clock: Clock, windowMs: number, run: () => void) {
    this.#clock = clock;
    this.#windowMs = windowMs;
    this.#run = run;
  }

  poke(): void {
    if (this.#window) {
      this.#poked = true;
      return;
    }
    this.#window = this.#clock.setTimeout(() => {
      this.#window = null;
      if (!this.#poked) return;
      this.#poked = false;
      this.poke();
    }, this.#windowMs);
    this.#run();
  }

  stop(): void {
    this.#window?.cancel();
    this.#window = null;
    this.#poked = false;
  }
}
