import { grown } from './growable.ts';

/**
 * All deadlines of all rules in one binary heap of plain numbers; listened time, not the wall clock, makes them due.
 * At most one entry per slot: who finds its deadline moved puts it back, so that being heard costs no heap work.
 */
export class Timers {
  #due = new Float64Array(16);
  #slot = new Int32Array(16);
  #armed = new Uint8Array(16);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Earliest deadline; Infinity when there is none. */
  get next(): number {
    return this.#size > 0 ? this.#due[0]! : Infinity;
  }

  /** A slot already in the heap keeps its entry: deadlines only ever move later. */
  arm(slot: number, due: number): void {
    this.#armed = grown(this.#armed, slot + 1);
    if (due === Infinity || this.#armed[slot] === 1) return;
    this.#armed[slot] = 1;
    this.#due = grown(this.#due, this.#size + 1);
    this.#slot = grown(this.#slot, this.#size + 1);
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(due, slot, this.#due[parent]!, this.#slot[parent]!)) break;
      this.#due[at] = this.#due[parent]!;
      this.#slot[at] = this.#slot[parent]!;
      at = parent;
    }
    this.#due[at] = due;
    this.#slot[at] = slot;
  }

  /** Takes the earliest out and returns its slot. */
  pop(): number {
    const first = this.#slot[0]!;
    this.#armed[first] = 0;
    const size = --this.#size;
    const due = this.#due[size]!;
    const slot = this.#slot[size]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (
        child + 1 < size &&
        before(this.#due[child + 1]!, this.#slot[child + 1]!, this.#due[child]!, this.#slot[child]!)
      )
        child++;
      if (!before(this.#due[child]!, this.#slot[child]!, due, slot)) break;
      this.#due[at] = this.#due[child]!;
      this.#slot[at] = this.#slot[child]!;
      at = child;
    }
    this.#due[at] = due;
    this.#slot[at] = slot;
    return first;
  }
}

/** Equal deadlines go by slot, so that the order never depends on the heap's history. */
function before(due: number, slot: number, otherDue: number, otherSlot: number): boolean {
  return due < otherDue || (due === otherDue && slot < otherSlot);
}
