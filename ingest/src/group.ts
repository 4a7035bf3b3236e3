import { BatchBuilder, type CommitExtras, type DeadLetter, type JournalBatch, type Waiter } from '@smart-fire/core';
import type { DeviceSlot } from './devices.ts';
import { type Hash64, toBigint } from './identity.ts';

/** Overhead of a message beside its payload, for the bound on what may wait. */
const MESSAGE_BYTES = 64;

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
  /** Those of events. */
  essentialBytes = 0;

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

  wait(waiter: Waiter, essential: boolean, payloadBytes: number): void {
    this.#waiting.push(waiter);
    this.#essential.push(essential);
    this.bytes += payloadBytes + MESSAGE_BYTES;
    if (essential) this.essentialBytes += payloadBytes + MESSAGE_BYTES;
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
    this.bytes = this.essentialBytes = 0;
  }
}
