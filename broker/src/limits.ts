import type { Clock, Registry } from '@smart-fire/core';
import type { Connection, EndReason, Pulse } from './connection.ts';

/** How often connections are looked over; every limit below is kept to within this (ms). */
export const SWEEP_MS = 250;
/** From the socket's opening to CONNACK. */
const CONNECT_MS = 10_000;
/** A commit that takes longer is taken for failed: closed without PUBACK, so that the device sends again elsewhere or later. */
const HOLD_MS = 5_000;
/** A reader that has not drained for this long is no longer waited for… */
const PATIENCE_MS = 250;
/** …and for this long is cut. */
export const DRAIN_MS = 5_000;
/** Over its rate without a pause for this long. */
const OVER_RATE_MS = 60_000;
/** Seconds of its rate that a device may send at once. */
const BURST_SECONDS = 4;

/** The right to send messages, refilled with time: one for each user, shared by its connections. */
export class Budget {
  readonly #clock: Clock;
  readonly #rate: () => number;
  #tokens: number;
  #at: number;

  constructor(clock: Clock, rate: () => number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#tokens = rate() * BURST_SECONDS;
    this.#at = clock.now();
  }

  /** Takes one message: 0 = it may pass, otherwise ms to wait until it may. `now`: our clock (ms UTC). */
  take(now: number): number {
    // Looked after only when it is spent: most never are.
    if (this.#tokens < 1) this.#refill(now);
    if (this.#tokens >= 1) {
      this.#tokens--;
      return 0;
    }
    return Math.max(10, Math.ceil(((1 - this.#tokens) / this.#rate()) * 1000));
  }

  /** Half full again: the sender has kept a pause. */
  get relaxed(): boolean {
    this.#refill(this.#clock.now());
    return this.#tokens >= (this.#rate() * BURST_SECONDS) / 2;
  }

  get full(): boolean {
    this.#refill(this.#clock.now());
    return this.#tokens >= this.#rate() * BURST_SECONDS;
  }

  #refill(now: number): void {
    if (now === this.#at) return;
    const rate = this.#rate();
    this.#tokens = Math.min(rate * BURST_SECONDS, this.#tokens + (Math.max(0, now - this.#at) / 1000) * rate);
    this.#at = now;
  }
}

/** Budgets by user. One is kept until it is full again, so that reconnecting gains nothing. */
export class Budgets {
  readonly #deps: { clock: Clock; registry: Registry; rate: number };
  readonly #budgets = new Map<string, Budget>();

  constructor(deps: { clock: Clock; registry: Registry; rate: number }) {
    this.#deps = deps;
  }

  of(user: string): Budget {
    let budget = this.#budgets.get(user);
    if (!budget) {
      const { clock, registry, rate } = this.#deps;
      // A gateway speaks for its children too.
      budget = new Budget(clock, () => rate * (1 + registry.children(user).size));
      this.#budgets.set(user, budget);
    }
    return budget;
  }

  /** Forgets the full ones that nobody connected uses. */
  tidy(connected: (user: string) => boolean): void {
    for (const [user, budget] of this.#budgets) if (budget.full && !connected(user)) this.#budgets.delete(user);
  }
}

/** What is overdue on a connection, or null. A reader that does not drain is first released, so that nobody waits for it. */
export function overdue(connection: Connection, { now }: Pulse): EndReason | null {
  if (connection.state !== 'ready') return now - connection.openedAt > CONNECT_MS ? 'no-connect' : null;
  const oldest = connection.held[0];
  if (oldest && now - oldest.since > HOLD_MS) return 'hold-too-long';
  const { blockedSince, overSince, keepaliveMs, heardAt } = connection;
  if (blockedSince !== null) {
    if (now - blockedSince > DRAIN_MS) return 'slow-reader';
    if (now - blockedSince >= PATIENCE_MS) connection.release();
  }
  if (overSince !== null && now - overSince > OVER_RATE_MS) return 'over-rate';
  // [MQTT-3.1.2-24]; while we do not read, silence is ours.
  if (keepaliveMs > 0 && !connection.deaf && now - heardAt > keepaliveMs * 1.5) return 'keepalive';
  return null;
}
