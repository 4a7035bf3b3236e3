import type { Alarm, AlarmBook } from '@smart-fire/core';

/** The unclosed alarms, found by device: what colours a device, and what keeps it from being deleted. */
export class UnclosedByDevice {
  readonly #byDevice = new Map<string, Map<string, Alarm>>();

  constructor(book: AlarmBook) {
    for (const alarm of book.unclosed()) this.put(alarm);
  }

  put(alarm: Alarm): void {
    const alarms = this.#byDevice.get(alarm.device) ?? new Map<string, Alarm>();
    if (alarm.state === 'closed') alarms.delete(alarm.id);
    else alarms.set(alarm.id, alarm);
    if (alarms.size > 0) this.#byDevice.set(alarm.device, alarms);
    else this.#byDevice.delete(alarm.device);
  }

  of(device: string): Iterable<Alarm> {
    return this.#byDevice.get(device)?.values() ?? [];
  }

  has(device: string): boolean {
    return this.#byDevice.has(device);
  }
}
