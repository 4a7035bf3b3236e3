import type { DeadLetterCode } from '@smart-fire/core';

const MINUTE_MS = 60_000;

/** The dead letter's code for what the broker says; other reasons are counted and shown among the raw messages only. */
export const REFUSAL_CODES: Partial<Record<string, DeadLetterCode>> = {
  'foreign-topic': 'UNKNOWN_TOPIC',
  oversize: 'TOO_LARGE',
  disabled: 'DISABLED',
};

/** One dead letter per device, reason and minute for messages refused at the door, so that a flood of them fills nothing. */
export class Refusals {
  #minute = 0;
  readonly #seen = new Set<string>();

  isFirst(device: string, reason: string, now: number): boolean {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#seen.clear();
    }
    const key = `${device} ${reason}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
