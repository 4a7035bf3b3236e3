import type { Clock, Timer } from '../ports/clock.ts';

interface Pending {
  at: number;
  order: number;
  every: number | null;
  callback: () => void;
}

/** A clock that stands still until a test moves it. Timers fire in the order of their time while it is moved. */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /** @param now ms UTC */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    return this.#add(callback, ms, null);
  }

  setInterval(callback: () => void, ms: number): Timer {
    return this.#add(callback, ms, Math.max(1, ms));
  }

  /** Let `ms` pass; every timer due on the way fires at its own time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#now = Math.max(this.#now, next.at);
      if (next.every === null) this.#pending.delete(next);
      else next.at += next.every;
      next.callback();
    }
    this.#now = until;
  }

  /** Like `advance`, but in steps with room in between for promises and I/O to go on. */
  async advanceInSteps(ms: number, step = 100): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      this.advance(Math.min(step, ms - passed));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Set the wall clock, forwards or backwards, as an administrator or NTP does; no timer fires, running ones keep their rest. */
  jump(to: number): void {
    const by = to - this.#now;
    for (const pending of this.#pending) pending.at += by;
    this.#now = to;
  }

  /** Timers still running: 0 after a clean stop. */
  get timers(): number {
    return this.#pending.size;
  }

  #add(callback: () => void, ms: number, every: number | null): Timer {
    const pending = { at: this.#now + Math.max(0, ms), order: this.#order++, every, callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  #next(until: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.at > until) continue;
      if (!first || pending.at < first.at || (pending.at === first.at && pending.order < first.order)) first = pending;
    }
    return first;
  }
}
