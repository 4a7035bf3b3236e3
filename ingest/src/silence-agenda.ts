import type { DeviceSlot } from './devices.ts';

const STEP_MS = 1000;

/**
 * Who may have fallen silent when. A device is looked at when its time would be up and, heard meanwhile, not before it would be up again:
 * nothing is done for a reading, and no moment has to look at all devices.
 */
export class SilenceAgenda {
  readonly #due = new Map<number, DeviceSlot[]>();
  /** Every step before this one has been taken. */
  #next = 0;

  /** `at`: hearing time (ms) at which it would be silent; a date given before no longer counts. */
  put(slot: DeviceSlot, at: number): void {
    const step = Math.max(this.#next, Math.ceil(at / STEP_MS));
    slot.evidence.due = step;
    const others = this.#due.get(step);
    if (others) others.push(slot);
    else this.#due.set(step, [slot]);
  }

  /** Those whose time would be up by `now` (hearing time, ms). */
  take(now: number): DeviceSlot[] {
    const taken: DeviceSlot[] = [];
    for (; this.#next <= now / STEP_MS; this.#next++) {
      for (const slot of this.#due.get(this.#next) ?? []) {
        if (slot.evidence.due !== this.#next) continue;
        slot.evidence.due = null;
        taken.push(slot);
      }
      this.#due.delete(this.#next);
    }
    return taken;
  }
}
