import { grown, resized } from './growable.ts';

/** Numbers of a slot's record. */
const RECORD = 4;
const VARIANT = 0;
const SUBJECT = 1;
const OFFSET = 2;
const NEXT = 3;

/** Bits of a slot's flags. */
export const LIVE = 1;
export const RAISED = 2;
export const WITHHELD = 4;

/**
 * State that is not fresh, as numbers in one array: a slot is a range of it that belongs to a rule (variant) and a subject. A subject's slots
 * are chained. What is fresh needs no slot, so a healthy device costs what its silence is measured by and no more.
 */
export class Slots {
  state = new Float64Array(0);
  record = new Int32Array(0);
  flags = new Uint8Array(0);
  size = 0;
  /** Of slots of zones: the series that fed it last, so who completes an alarm; -1 elsewhere, and no room where there are no zones. */
  #source = new Int32Array(0);
  #used = 0;
  #copy: SlotsCopy | null = null;
  /** Freed slots by the length of their range, which is used again. */
  readonly #free = new Map<number, number[]>();

  /** Room for so many slots of a few numbers each. */
  reserve(slots: number, numbers: number): void {
    this.record = resized(this.record, Math.max(this.record.length, slots * RECORD));
    this.flags = resized(this.flags, Math.max(this.flags.length, slots));
    this.state = resized(this.state, Math.max(this.state.length, numbers), NaN);
  }

  /** `next` = the slot it is chained before (-1 = none). */
  allocate(variant: number, subject: number, length: number, next: number): number {
    let slot = this.#free.get(length)?.pop();
    if (slot === undefined) {
      slot = this.size++;
      this.record = grown(this.record, this.size * RECORD);
      this.flags = grown(this.flags, this.size);
      this.state = grown(this.state, this.#used + length, NaN);
      this.record[slot * RECORD + OFFSET] = this.#used;
      this.#used += length;
    }
    this.record[slot * RECORD + VARIANT] = variant;
    this.record[slot * RECORD + SUBJECT] = subject;
    this.record[slot * RECORD + NEXT] = next;
    this.flags[slot] = LIVE;
    return slot;
  }

  release(slot: number, length: number): void {
    this.touch(slot);
    const offset = this.offset(slot);
    this.state.fill(NaN, offset, offset + length);
    this.flags[slot] = 0;
    if (this.source(slot) >= 0) this.#source[slot] = -1;
    const free = this.#free.get(length);
    if (free) free.push(slot);
    else this.#free.set(length, [slot]);
  }

  variant(slot: number): number {
    return this.record[slot * RECORD + VARIANT]!;
  }

  setVariant(slot: number, variant: number): void {
    this.record[slot * RECORD + VARIANT] = variant;
  }

  subject(slot: number): number {
    return this.record[slot * RECORD + SUBJECT]!;
  }

  offset(slot: number): number {
    return this.record[slot * RECORD + OFFSET]!;
  }

  next(slot: number): number {
    return this.record[slot * RECORD + NEXT]!;
  }

  source(slot: number): number {
    return this.#source[slot] ?? -1;
  }

  setSource(slot: number, series: number): void {
    this.#source = grown(this.#source, slot + 1, -1);
    this.#source[slot] = series;
  }

  /** Takes a slot out of the chain that begins at `first`; returns where it begins then. */
  unchain(first: number, slot: number): number {
    if (first === slot) return this.next(slot);
    let before = first;
    while (this.next(before) !== slot) before = this.next(before);
    this.record[before * RECORD + NEXT] = this.next(slot);
    return first;
  }

  has(slot: number, flag: number): boolean {
    return (this.flags[slot]! & flag) !== 0;
  }

  mark(slot: number, flag: number, on: boolean): void {
    this.flags[slot] = on ? this.flags[slot]! | flag : this.flags[slot]! & ~flag;
  }

  /** Bytes of all arrays (the free list not counted). */
  get bytes(): number {
    return this.state.byteLength + this.#source.byteLength + this.record.byteLength + this.flags.byteLength;
  }

  /** To be called before a slot's state changes: what a copy still has to read is put aside. */
  touch(slot: number): void {
    if (this.#copy !== null) this.#copy.keep(slot);
  }

  /** As it is now, to be read bit by bit while the original goes on. One at a time: a new one ends the one before. */
  copy(lengthOf: (variant: number) => number): SlotsCopy {
    const copy = new SlotsCopy(this, this.#source.slice(), lengthOf, () => {
      if (this.#copy === copy) this.#copy = null;
    });
    this.#copy = copy;
    return copy;
  }
}

export interface CopiedSlot {
  variant: number;
  subject: number;
  source: number;
  withheld: boolean;
  state: Float64Array;
}

/** The slots as they were when the copy was begun. State is copied when it is read, or just before it changes. */
export class SlotsCopy {
  readonly size: number;
  readonly #slots: Slots;
  readonly #record: Int32Array;
  readonly #flags: Uint8Array;
  readonly #source: Int32Array;
  readonly #lengthOf: (variant: number) => number;
  readonly #kept = new Map<number, Float64Array>();
  /** Everything below has been read. */
  #read = 0;
  readonly end: () => void;

  constructor(slots: Slots, source: Int32Array, lengthOf: (variant: number) => number, end: () => void) {
    this.size = slots.size;
    this.#slots = slots;
    this.#record = slots.record.slice(0, slots.size * RECORD);
    this.#flags = slots.flags.slice(0, slots.size);
    this.#source = source;
    this.#lengthOf = lengthOf;
    this.end = end;
  }

  keep(slot: number): void {
    if (slot < this.#read || slot >= this.size || this.#flags[slot] === 0 || this.#kept.has(slot)) return;
    this.#kept.set(slot, this.#live(slot).slice());
  }

  /** In ascending order. null = not in use. */
  read(slot: number): CopiedSlot | null {
    this.#read = slot + 1;
    const flags = this.#flags[slot]!;
    if (flags === 0) return null;
    const kept = this.#kept.get(slot);
    if (kept) this.#kept.delete(slot);
    const at = slot * RECORD;
    return {
      variant: this.#record[at + VARIANT]!,
      subject: this.#record[at + SUBJECT]!,
      source: this.#source[slot] ?? -1,
      withheld: (flags & WITHHELD) !== 0,
      state: kept ?? this.#live(slot),
    };
  }

  #live(slot: number): Float64Array {
    const offset = this.#record[slot * RECORD + OFFSET]!;
    return this.#slots.state.subarray(offset, offset + this.#lengthOf(this.#record[slot * RECORD + VARIANT]!));
  }
}
