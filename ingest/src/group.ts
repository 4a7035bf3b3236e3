import { BatchBuilder, type CommitExtras, type DeadLetter, type JournalBatch, type Waiter } from '@smart-fire/core';
import type { DeviceSlot } from './devices.ts';
import { type Hash64, toBigint } from './identity.ts';

/** Overhead of a message beside its payload, for the bound on what may wait: of one that waits, and of an event that is kept. */
const MESSAGE_BYTES = 64;
const EVENT_BYTES = 512;

/**
 * What arrived since the last commit and will be committed together, with those who wait for it.
 * `essential` marks what an event brought: it is kept when the journal has room for events only.
 */
export class Group {
  readonly builder: BatchBuilder;
  letters: { letter: Omit<DeadLetter, 'id'>; essential: boolean }[] = [];
  marks: { slot: DeviceSlot; hash: Hash64; receivedAt: number; essential: boolean }[] = [];
  #waiting: Waiter[] = [];
  /** Row by row with those who wait. */
  #essential: boolean[] = [];
  bytes = 0;
  /** Those of events that nobody waits for any more. */
  #keptBytes = 0;

  /** @param firstNo number of the first entry to come */
  constructor(firstNo: number) {
    this.builder = new BatchBuilder(firstNo);
  }

  /** Number behind the last entry. */
  get end(): number {
    return this.builder.firstNo + this.builder.count;
  }

  get empty(): boolean {
    return this.builder.count === 0 && this.letters.length === 0 && this.#waiting.length === 0;
  }

  /** Whether anything has to go to the disk; a group of mere repeats only waits for its turn. */
  get durable(): boolean {
    return this.builder.count > 0 || this.letters.length > 0 || this.builder.namesSeries;
  }

  /** `known`: it repeats what is here already, and takes room only as long as it waits. */
  wait(waiter: Waiter, essential: boolean, payloadBytes: number, known: boolean): void {
    this.#waiting.push(waiter);
    this.#essential.push(essential);
    const kept = essential && !known ? payloadBytes + EVENT_BYTES : 0;
    this.#keptBytes += kept;
    this.bytes += MESSAGE_BYTES + (essential ? kept : payloadBytes);
  }

  /** Whether it holds anything that is refused when only events can be kept. */
  get refusable(): boolean {
    const { builder, marks, letters } = this;
    return builder.readings > 0 || marks.some((mark) => !mark.essential) || letters.some((one) => !one.essential);
  }

  /** A group from number `firstNo` on with all of this one but what is refused then; marks of the others stay here. */
  essentials(firstNo: number): Group {
    const kept = new Group(firstNo);
    for (const entry of this.builder.soFar().entries) kept.builder.addEntry(entry);
    kept.marks = this.marks.filter((mark) => mark.essential);
    this.marks = this.marks.filter((mark) => !mark.essential);
    kept.letters = this.letters.filter((one) => one.essential);
    kept.bytes = kept.#keptBytes = this.#keptBytes;
    return kept;
  }

  build(): { batch: JournalBatch; extras: CommitExtras } {
    return {
      batch: this.builder.build(),
      extras: {
        deadLetters: this.letters.map(({ letter }) => letter),
        marks: this.marks.map(({ slot, hash, receivedAt }) => ({ device: slot.id, hash: toBigint(hash), receivedAt })),
      },
    };
  }

  /** Those who wait, in order; they are answered once. */
  takeWaiting(): Waiter[] {
    const taken = this.#waiting;
    this.#waiting = [];
    this.#essential = [];
    this.bytes = this.#keptBytes;
    return taken;
  }

  /** Those who wait for what an event brought; the others go on waiting. */
  takeEssential(): Waiter[] {
    const essential = this.#essential;
    const taken = this.#waiting.filter((_, row) => essential[row]);
    this.#waiting = this.#waiting.filter((_, row) => !essential[row]);
    this.#essential = this.#waiting.map(() => false);
    return taken;
  }

  /** Begins anew with this number. */
  clear(firstNo: number): void {
    this.builder.clear(firstNo);
    this.letters = [];
    this.marks = [];
    this.#waiting = [];
    this.#essential = [];
    this.bytes = this.#keptBytes = 0;
  }
}
