/** One thing that consoles show: an alarm, a device's status, a part's health. */
export interface Entry {
  entity: 'alarm' | 'device' | 'health';
  id: string;
  version: number;
  /** What a scope is checked against; null = everybody with the right to this entity. */
  path: string | null;
  /** Closed or deleted: nothing for a console that has not seen it. */
  gone: boolean;
  /** JSON of the value, made when first needed. `full` = with what needs reading.read. */
  text(full: boolean): string;
}

interface Slot {
  order: number;
  /** null = changed again since: the newer slot stands for it. */
  entry: Entry | null;
}

/**
 * Changes in order, only the last of each thing kept: reading from a position gives exactly what has changed since, however far behind
 * the reader is. What is gone is remembered for a while; `forgotten` is the position below which some of it is not.
 */
export class ChangeLog {
  #slots: Slot[] = [];
  readonly #latest = new Map<string, Slot>();
  readonly #gone = new Set<string>();
  readonly #keepGone: number;
  /** Order of the last change. */
  last = 0;
  /** Readers at or after this order have missed nothing. */
  forgotten = 0;

  /** @param keepGone how many gone things are remembered for those who are behind */
  constructor(keepGone: number) {
    this.#keepGone = keepGone;
  }

  get(id: string): Entry | undefined {
    return this.#latest.get(id)?.entry ?? undefined;
  }

  orderOf(id: string): number {
    return this.#latest.get(id)?.order ?? 0;
  }

  put(entry: Entry, order: number): void {
    const before = this.#latest.get(entry.id);
    if (before) before.entry = null;
    const slot = { order, entry };
    this.#slots.push(slot);
    this.#latest.set(entry.id, slot);
    this.last = order;
    this.#gone.delete(entry.id);
    if (entry.gone) this.#bury(entry.id);
    if (this.#slots.length > 2 * this.#latest.size + 64)
      this.#slots = this.#slots.filter((slot) => slot.entry !== null);
  }

  /** Changes after `order`, oldest first. */
  *since(order: number): Generator<{ order: number; entry: Entry }> {
    for (let index = this.#firstAfter(order); index < this.#slots.length; index++) {
      const { order, entry } = this.#slots[index]!;
      if (entry) yield { order, entry };
    }
  }

  #bury(id: string): void {
    this.#gone.add(id);
    if (this.#gone.size <= this.#keepGone) return;
    const [oldest] = this.#gone;
    const slot = this.#latest.get(oldest!)!;
    this.forgotten = Math.max(this.forgotten, slot.order);
    slot.entry = null;
    this.#latest.delete(oldest!);
    this.#gone.delete(oldest!);
  }

  #firstAfter(order: number): number {
    let [low, high] = [0, this.#slots.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#slots[middle]!.order > order) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
