const MINUTE_MS = 60_000;

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
