import { TICK_MS } from '@smart-fire/core';

/**
 * Listened time: how long we have been hearing the world, from the journal's own entries. Between two entries at most `gapLimitMs`
 * (two ticks) count, and never less than nothing: a stop of ours or a jump of our clock is nobody's silence.
 */
export class ListenedClock {
  /** ms listened in all. */
  now = 0;
  /** `receivedAt` of the last entry (ms UTC), NaN before the first. */
  last = NaN;
  readonly #gapLimitMs: number;

  constructor(gapLimitMs = 2 * TICK_MS) {
    this.#gapLimitMs = gapLimitMs;
  }

  hear(receivedAt: number): void {
    const passed = receivedAt - this.last;
    this.last = receivedAt;
    if (passed > 0) this.now += Math.min(passed, this.#gapLimitMs);
  }
}
