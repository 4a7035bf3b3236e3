import { TICK_MS } from '@smart-fire/core';

/**
 * Time in which we listened (ms, from an arbitrary zero): it goes on between consecutive journal entries, but never by more than two
 * ticks, so that neither our own downtime nor a step of our clock counts as silence.
 */
export class ListenedTime {
  now = 0;
  #last: number | null = null;

  advance(receivedAt: number): void {
    if (this.#last !== null && receivedAt > this.#last) this.now += Math.min(receivedAt - this.#last, 2 * TICK_MS);
    this.#last = receivedAt;
  }
}
