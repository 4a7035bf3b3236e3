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
  #used = 0;
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
    const offset = this.offset(slot);
    this.state.fill(NaN, offset, offset + length);
    this.flags[slot] = 0;
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
    return this.state.byteLength + this.record.byteLength + this.flags.byteLength;
  }

  /** As it is now, to be read while the original goes on. */
  copy(): Pick<Slots, 'state' | 'record' | 'flags' | 'size'> {
    return {
      state: this.state.slice(0, this.#used),
      record: this.record.slice(0, this.size * RECORD),
      flags: this.flags.slice(0, this.size),
      size: this.size,
    };
  }
}

/** A record of a copy: where it says which rule, whose and from which number on. */
export function readRecord(record: Int32Array, slot: number): { variant: number; subject: number; offset: number } {
  const at = slot * RECORD;
  return { variant: record[at + VARIANT]!, subject: record[at + SUBJECT]!, offset: record[at + OFFSET]! };
}
