import type { Rule } from './catalogue.ts';
import { grown } from './growable.ts';

/**
 * State of every (rule, series) and (rule, device) pair as numbers in one array: a slot is a range of it, of the rule's size.
 * Freed slots are used again by the same rule, so ranges always fit.
 */
export class Slots {
  state = new Float64Array(0);
  /** Rule index, series or device index, start in `state`, and the next slot of the same series (-1 = last). */
  rule = new Int32Array(0);
  subject = new Int32Array(0);
  offset = new Int32Array(0);
  next = new Int32Array(0);
  size = 0;
  #used = 0;
  readonly #free = new Map<number, number[]>();
  /** 1 = in use. */
  live = new Uint8Array(0);

  allocate(rule: Rule, subject: number, next: number): number {
    let slot = this.#free.get(rule.index)?.pop();
    if (slot === undefined) {
      slot = this.size++;
      this.rule = grown(this.rule, this.size);
      this.subject = grown(this.subject, this.size);
      this.offset = grown(this.offset, this.size);
      this.next = grown(this.next, this.size);
      this.live = grown(this.live, this.size);
      this.state = grown(this.state, this.#used + rule.size, NaN);
      this.rule[slot] = rule.index;
      this.offset[slot] = this.#used;
      this.#used += rule.size;
    }
    this.subject[slot] = subject;
    this.next[slot] = next;
    this.live[slot] = 1;
    return slot;
  }

  release(slot: number, rule: Rule): void {
    const offset = this.offset[slot]!;
    this.state.fill(NaN, offset, offset + rule.size);
    this.live[slot] = 0;
    const free = this.#free.get(rule.index) ?? [];
    free.push(slot);
    this.#free.set(rule.index, free);
  }

  /** Bytes of all arrays (the free list and the heap of timers not counted). */
  get bytes(): number {
    return [this.state, this.rule, this.subject, this.offset, this.next, this.live].reduce(
      (sum, a) => sum + a.byteLength,
      0,
    );
  }
}
