import { BatchBuilder, type CommitExtras, type DeadLetter, type JournalBatch } from '@smart-fire/core';
import type { DeviceSlot } from './devices.ts';
import { type Hash64, toBigint } from './identity.ts';

export type Done = (error: Error | null) => void;

/** Overhead of a message beside its payload, for the bound on what may wait. */
const MESSAGE_BYTES = 64;

/**
 * What arrived since the last commit and will be committed together, with those who wait for it.
 * `essential` marks what an event brought: it is kept when the journal has room for events only.
 */
export class Group {
  readonly builder = new BatchBuilder();
  letters: { letter: Omit<DeadLetter, 'id'>; essential: boolean }[] = [];
  marks: { slot: DeviceSlot; hash: Hash64; receivedAt: number; essential: boolean }[] = [];
  waiting: { done: Done; essential: boolean }[] = [];
  bytes = 0;

  get empty(): boolean {
    return this.builder.count === 0 && this.letters.length === 0 && this.waiting.length === 0;
  }

  /** Whether anything has to go to the disk; a group of mere repeats only waits for its turn. */
  get durable(): boolean {
    return this.builder.count > 0 || this.letters.length > 0;
  }

  wait(done: Done, essential: boolean, payloadBytes: number): void {
    this.waiting.push({ done, essential });
    this.bytes += payloadBytes + MESSAGE_BYTES;
  }

  build(firstNo: number): { batch: JournalBatch; extras: CommitExtras } {
    return {
      batch: this.builder.build(firstNo),
      extras: {
        deadLetters: this.letters.map(({ letter }) => letter),
        marks: this.marks.map(({ slot, hash, receivedAt }) => ({ device: slot.id, hash: toBigint(hash), receivedAt })),
      },
    };
  }

  /** Those who wait; they are answered once. */
  takeWaiting(which: (waiter: { essential: boolean }) => boolean = () => true): Done[] {
    const taken = this.waiting.filter(which);
    this.waiting = this.waiting.filter((waiter) => !which(waiter));
    return taken.map(({ done }) => done);
  }

  clear(): void {
    this.builder.clear();
    this.letters = [];
    this.marks = [];
    this.waiting = [];
    this.bytes = 0;
  }
}
