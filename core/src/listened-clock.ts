import { TICK_MS } from './ports/journal.ts';

/**
 * Listened time: how long we have been hearing the world, from the journal's own entries. Between two entries at most `gapLimitMs`
 * (two ticks) count, and never less than nothing: a stop of ours or a jump of our clock is nobody's silence.
 */
export class ListenedClock {
  /** ms listened in all. */
  now = 0;
  /** `receivedAt` of the last entry (ms UTC), NaN before the first. */
  last = NaN;
  /** As the last tick has it: telemetry is refused. */
  deaf = false;
  /** ms of `now` in which telemetry was refused: conditions last on, but nobody was silent. */
  deafMs = 0;
  readonly #gapLimitMs: number;

  constructor(gapLimitMs = 2 * TICK_MS) {
    this.#gapLimitMs = gapLimitMs;
  }

  hear(receivedAt: number): void {
    const passed = receivedAt - this.last;
    this.last = receivedAt;
    if (!(passed > 0)) return;
    const counted = Math.min(passed, this.#gapLimitMs);
    this.now += counted;
    if (this.deaf) this.deafMs += counted;
  }

  /** ms in which whoever reported was heard: by these silence is measured. */
  get hearing(): number {
    return this.now - this.deafMs;
  }
}
