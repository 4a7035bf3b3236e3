import { grown } from './growable.ts';

/** Keeps for each slot its place in the heap + 1; 0 = it has none. */
export interface Places {
  place(slot: number): number;
  setPlace(slot: number, place: number): void;
}

/**
 * All deadlines of all rules in one binary heap of plain numbers; listened time, not the wall clock, makes them due.
 * One entry per slot, with which its place is kept. A deadline that moves later is left where it is: who finds it moved puts it back, so that
 * being heard costs no heap work.
 */
export class Timers {
  #due = new Float64Array(16);
  #slot = new Int32Array(16);
  readonly #places: Places;
  #size = 0;

  constructor(places: Places) {
    this.#places = places;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#due.byteLength + this.#slot.byteLength;
  }

  /** Earliest deadline; Infinity when there is none. */
  get next(): number {
    return this.#size > 0 ? this.#due[0]! : Infinity;
  }

  arm(slot: number, due: number): void {
    if (!(due < Infinity)) return;
    const place = this.#places.place(slot);
    if (place > 0) {
      if (due < this.#due[place - 1]!) this.#up(place - 1, due, slot);
      return;
    }
    this.#due = grown(this.#due, this.#size + 1);
    this.#slot = grown(this.#slot, this.#size + 1);
    this.#up(this.#size++, due, slot);
  }

  /** Takes the earliest out and returns its slot. */
  pop(): number {
    const first = this.#slot[0]!;
    this.remove(first);
    return first;
  }

  remove(slot: number): void {
    const place = this.#places.place(slot) - 1;
    if (place < 0) return;
    this.#places.setPlace(slot, 0);
    const size = --this.#size;
    if (place === size) return;
    const due = this.#due[size]!;
    const moved = this.#slot[size]!;
    if (place > 0 && this.#before(due, moved, (place - 1) >> 1)) this.#up(place, due, moved);
    else this.#down(place, due, moved);
  }

  #up(from: number, due: number, slot: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(due, slot, parent)) break;
      this.#put(at, this.#due[parent]!, this.#slot[parent]!);
      at = parent;
    }
    this.#put(at, due, slot);
  }

  #down(from: number, due: number, slot: number): void {
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#before(this.#due[child + 1]!, this.#slot[child + 1]!, child)) child++;
      if (this.#before(due, slot, child)) break;
      this.#put(at, this.#due[child]!, this.#slot[child]!);
      at = child;
    }
    this.#put(at, due, slot);
  }

  #put(at: number, due: number, slot: number): void {
    this.#due[at] = due;
    this.#slot[at] = slot;
    this.#places.setPlace(slot, at + 1);
  }

  /** Equal deadlines go by slot, so that the order never depends on the heap's history. */
  #before(due: number, slot: number, place: number): boolean {
    const other = this.#due[place]!;
    return due < other || (due === other && slot < this.#slot[place]!);
  }
}
