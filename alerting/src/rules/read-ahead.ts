import type { Bindings } from './bindings.ts';

/** Readings looked ahead at: enough for memory to fetch much at a time, few enough for it still to be at hand when their turn comes. */
export const AHEAD = 128;

/**
 * At a million devices nearly everything that a reading needs is in memory that no cache holds, and each visit tells where the next one goes.
 * One reading after the other would wait for all of them in turn; looked at together, the waits of many readings overlap.
 */
export class ReadAhead {
  /** So that what is read counts as used. */
  #sum = 0;
  readonly #bindings: Bindings;

  constructor(bindings: Bindings) {
    this.#bindings = bindings;
  }

  /** `series` of the readings from row `from` on. */
  look(series: Uint32Array, from: number, length: number): void {
    const { subjects } = this.#bindings;
    const to = Math.min(from + AHEAD, length);
    let sum = this.#sum;
    for (let row = from; row < to; row++) {
      const device = subjects.device(series[row]!);
      if (device >= 0) sum += subjects.plan(device);
    }
    for (let row = from; row < to; row++) {
      const device = subjects.device(series[row]!);
      if (device < 0) continue;
      sum += this.#silence(device);
      const gateway = subjects.gateway(device);
      if (gateway >= 0) sum += this.#silence(gateway);
    }
    this.#sum = sum | 0;
  }

  /** A slot may lie across two lines of memory: its head and its last number. */
  #silence(device: number): number {
    const { subjects, slots } = this.#bindings;
    const slot = subjects.silence(device);
    return slot < 0 ? 0 : slots.variant(slot) + (slots.state[slots.offset(slot) + 2]! > 0 ? 1 : 0);
  }
}
