/** How long after its test signal a device counts as being tested (ms of listened time): a visit with smoke, heat and drain valves. */
const TEST_MS = 30 * 60_000;
/** A device that says so measures as it always does. */
const HARMLESS = new Set(['low-battery']);

/** What is out of the ordinary with devices and zones, so that nobody learns from it. By device or zone number. */
export class Disturbances {
  readonly #raised = new Map<number, number>();
  readonly #raisedZones = new Map<number, number>();
  /** `{word}:{point}` that the device declared and has not restored. */
  readonly #declared = new Map<number, Set<string>>();
  /** Listened time until which it is being tested. */
  readonly #tested = new Map<number, number>();

  /** `zone` -1 = none; `now` listened time. */
  disturbed(device: number, zone: number, now: number): boolean {
    if (this.#raised.size > 0 && this.#raised.has(device)) return true;
    if (this.#raisedZones.size > 0 && this.#raisedZones.has(zone)) return true;
    if (this.#declared.size > 0 && this.#declared.has(device)) return true;
    return this.#tested.size > 0 && (this.#tested.get(device) ?? 0) > now;
  }

  /** A rule on the device (or its zone) was raised (+1) or cleared (−1). */
  count(of: 'device' | 'zone', number: number, by: 1 | -1): void {
    const counts = of === 'device' ? this.#raised : this.#raisedZones;
    const count = (counts.get(number) ?? 0) + by;
    if (count > 0) counts.set(number, count);
    else counts.delete(number);
  }

  declare(device: number, word: string, point: string): void {
    if (HARMLESS.has(word)) return;
    const words = this.#declared.get(device);
    if (words) words.add(`${word}:${point}`);
    else this.#declared.set(device, new Set([`${word}:${point}`]));
  }

  restored(device: number, word: string, point: string): void {
    const words = this.#declared.get(device);
    if (words?.delete(`${word}:${point}`) && words.size === 0) this.#declared.delete(device);
  }

  tested(device: number, now: number): void {
    this.#tested.set(device, now + TEST_MS);
  }

  /** The device is no more. */
  forget(device: number): void {
    this.#declared.delete(device);
    this.#tested.delete(device);
  }

  /** What a restart needs (raised rules are known from their own state): [device, words declared, tested until] of those still so. */
  entries(now: number): [device: number, words: string[], tested: number][] {
    const entries = new Map<number, [number, string[], number]>();
    for (const [device, words] of this.#declared) entries.set(device, [device, [...words], 0]);
    for (const [device, until] of this.#tested) {
      if (until <= now) this.#tested.delete(device);
      else entries.set(device, [device, entries.get(device)?.[1] ?? [], until]);
    }
    return [...entries.values()];
  }

  restore(device: number, words: readonly string[], tested: number): void {
    if (words.length > 0) this.#declared.set(device, new Set(words));
    if (tested > 0) this.#tested.set(device, tested);
  }
}
