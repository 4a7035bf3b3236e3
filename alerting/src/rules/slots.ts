import { grown, resized } from './growable.ts';

/** Words (i32) of a slot's head, which lies right before its numbers: a visit to a slot is one to memory. */
const VARIANT = 0; // and flags; of a free slot its length instead of a variant
const SUBJECT = 1;
const NEXT = 2;
const PLACE = 3;

/** Numbers (f64) that a slot's head takes. */
const HEAD = 2;

/** Bits of a slot's flags. */
export const LIVE = 1;
export const RAISED = 2;
export const WITHHELD = 4;
const FLAG_BITS = 3;
const FLAGS = (1 << FLAG_BITS) - 1;

/**
 * State that is not fresh, all of it in one buffer: a slot belongs to a rule (variant) and a subject; its number is where its head begins, and
 * the rule's numbers follow. A subject's slots are chained. What is fresh needs no slot, so a healthy device costs what its silence is
 * measured by and no more.
 */
export class Slots {
  /** Everything as numbers; what a rule is given, with `offset(slot)`. */
  state = new Float64Array(0);
  /** One past the last slot. */
  end = 0;
  /** The same memory as words, for the heads. */
  #words = new Int32Array(0);
  #copy: SlotsCopy | null = null;
  /** Freed slots by their length, to be used again. */
  readonly #free = new Map<number, number[]>();
  /** Numbers of a variant's slots. */
  readonly #lengthOf: (variant: number) => number;

  constructor(lengthOf: (variant: number) => number) {
    this.#lengthOf = lengthOf;
  }

  /** Room for so many slots of so many numbers each. */
  reserve(slots: number, length: number): void {
    this.#room(resized(this.state, Math.max(this.state.length, slots * (HEAD + length)), NaN));
  }

  /** `next` = the slot it is chained before (-1 = none). */
  allocate(variant: number, subject: number, next: number): number {
    const length = this.#lengthOf(variant);
    let slot = this.#free.get(length)?.pop();
    if (slot === undefined) {
      slot = this.end;
      this.end += HEAD + length;
      this.#room(grown(this.state, this.end, NaN));
    } else this.touch(slot);
    const head = slot * 2;
    this.#words[head + VARIANT] = (variant << FLAG_BITS) | LIVE;
    this.#words[head + SUBJECT] = subject;
    this.#words[head + NEXT] = next;
    this.#words[head + PLACE] = 0;
    return slot;
  }

  release(slot: number): void {
    this.touch(slot);
    const length = this.length(slot);
    this.state.fill(NaN, slot + HEAD, slot + HEAD + length);
    this.#words[slot * 2 + VARIANT] = length << FLAG_BITS;
    const free = this.#free.get(length);
    if (free) free.push(slot);
    else this.#free.set(length, [slot]);
  }

  /** Every slot in use, in the order of memory. */
  *all(): Generator<number> {
    for (let slot = 0; slot < this.end; slot = this.after(slot)) if (this.has(slot, LIVE)) yield slot;
  }

  /** The slot behind it in memory, in use or not. */
  after(slot: number): number {
    return slot + HEAD + this.length(slot);
  }

  length(slot: number): number {
    const either = this.#words[slot * 2 + VARIANT]!;
    return (either & LIVE) === 0 ? either >> FLAG_BITS : this.#lengthOf(either >> FLAG_BITS);
  }

  variant(slot: number): number {
    return this.#words[slot * 2 + VARIANT]! >> FLAG_BITS;
  }

  /** One with slots of the same length. */
  setVariant(slot: number, variant: number): void {
    this.touch(slot);
    const head = slot * 2;
    this.#words[head + VARIANT] = (variant << FLAG_BITS) | (this.#words[head + VARIANT]! & FLAGS);
  }

  subject(slot: number): number {
    return this.#words[slot * 2 + SUBJECT]!;
  }

  /** Where its numbers begin in `state`. */
  offset(slot: number): number {
    return slot + HEAD;
  }

  next(slot: number): number {
    return this.#words[slot * 2 + NEXT]!;
  }

  /** A number for whoever keeps slots in order; 0 at first. */
  place(slot: number): number {
    return this.#words[slot * 2 + PLACE]!;
  }

  setPlace(slot: number, place: number): void {
    this.#words[slot * 2 + PLACE] = place;
  }

  /** Takes a slot out of the chain that begins at `first`; returns where it begins then. */
  unchain(first: number, slot: number): number {
    if (first === slot) return this.next(slot);
    let before = first;
    while (this.next(before) !== slot) before = this.next(before);
    this.#words[before * 2 + NEXT] = this.next(slot);
    return first;
  }

  has(slot: number, flag: number): boolean {
    return (this.#words[slot * 2 + VARIANT]! & flag) !== 0;
  }

  mark(slot: number, flag: number, on: boolean): void {
    this.touch(slot);
    if (on) this.#words[slot * 2 + VARIANT]! |= flag;
    else this.#words[slot * 2 + VARIANT]! &= ~flag;
  }

  get bytes(): number {
    return this.state.byteLength;
  }

  /** To be called before a slot changes: what a copy still has to read is put aside. */
  touch(slot: number): void {
    if (this.#copy !== null) this.#copy.keep(slot);
  }

  /** As it is now, to be read bit by bit while the original goes on. One at a time: a new one ends the one before. */
  copy(): SlotsCopy {
    const copy = new SlotsCopy(this, () => {
      if (this.#copy === copy) this.#copy = null;
    });
    this.#copy = copy;
    return copy;
  }

  #room(state: Float64Array<ArrayBuffer>): void {
    if (state === this.state) return;
    this.state = state;
    this.#words = new Int32Array(state.buffer);
  }
}

export interface CopiedSlot {
  variant: number;
  subject: number;
  withheld: boolean;
  /** The rule's numbers; to be used before the original goes on. */
  state: Float64Array;
  /** In memory: where the next one begins. */
  after: number;
}

/** What was not in use. */
interface FreeSlot {
  state: null;
  after: number;
}

/** The slots as they were when the copy was begun, which costs nothing: a slot is read when its turn comes, or put aside just before it changes. */
export class SlotsCopy {
  readonly #slots: Slots;
  readonly #end: number;
  readonly #kept = new Map<number, CopiedSlot | FreeSlot>();
  /** Everything below has been read. */
  #read = 0;
  readonly end: () => void;

  constructor(slots: Slots, end: () => void) {
    this.#slots = slots;
    this.#end = slots.end;
    this.end = end;
  }

  keep(slot: number): void {
    if (slot < this.#read || slot >= this.#end || this.#kept.has(slot)) return;
    const live = this.#live(slot);
    this.#kept.set(slot, live.state ? { ...live, state: live.state.slice() } : live);
  }

  /** True when nothing is left to read. */
  get done(): boolean {
    return this.#read >= this.#end;
  }

  /** The next one in the order of memory; null = it was not in use. */
  read(): CopiedSlot | null {
    const slot = this.#read;
    const found = this.#kept.get(slot) ?? this.#live(slot);
    this.#kept.delete(slot);
    this.#read = found.after;
    return found.state ? found : null;
  }

  #live(slot: number): CopiedSlot | FreeSlot {
    const slots = this.#slots;
    const after = slots.after(slot);
    if (!slots.has(slot, LIVE)) return { state: null, after };
    return {
      ...{ variant: slots.variant(slot), subject: slots.subject(slot), withheld: slots.has(slot, WITHHELD), after },
      state: slots.state.subarray(slots.offset(slot), after),
    };
  }
}
