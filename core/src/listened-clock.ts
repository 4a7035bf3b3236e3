import { TICK_MS } from './ports/journal.ts';

/**
 * Listened time: how long we have been hearing the world, from the journal's own entries. Between two entries at most `gapLimitMs`
 * (two ticks) count, and never less than nothing: a stop of ours, a jump of our clock or time in which we took no telemetry is nobody's
 * silence.
 */
export class ListenedClock {
  /** ms listened in all. */
  now = 0;
  /** `receivedAt` of the last entry (ms UTC), NaN before the first. */
  last = NaN;
  /** As the last tick has it: nothing counts until we listen again. */
  deaf = false;
  readonly #gapLimitMs: number;

  constructor(gapLimitMs = 2 * TICK_MS) {
    this.#gapLimitMs = gapLimitMs;
  }

  hear(receivedAt: number): void {
    const passed = receivedAt - this.last;
    this.last = receivedAt;
    if (passed > 0 && !this.deaf) this.now += Math.min(passed, this.#gapLimitMs);
  }
}
