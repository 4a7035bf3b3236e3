import type { ListenedClock, Registry } from '@smart-fire/core';
import type { Bindings } from './bindings.ts';
import { absence } from './kinds/absence.ts';
import { NOTHING, type Outcome, type Stimulus } from './kinds/kind.ts';
import type { Variant } from './live-rule.ts';

/** What the engine does with what a rule says. */
export interface Steps {
  act(slot: number, variant: Variant, outcome: Outcome): void;
  arm(slot: number, variant: Variant): void;
  broken(slot: number, variant: Variant, error: unknown): void;
}

/** Who is heard: devices, and gateways through them; children whose own silence waits for what becomes of their gateway's. */
export class Silences {
  /** Steps taken. */
  evaluations = 0;
  /** Gateways (device numbers) with children that wait for them. */
  readonly #holding = new Set<number>();
  readonly #registry: Registry;
  readonly #bindings: Bindings;
  readonly #clock: ListenedClock;
  readonly #steps: Steps;
  readonly #stimulus: Stimulus = { input: -1, source: 0, value: NaN, time: NaN, now: 0, learn: true };

  constructor(registry: Registry, bindings: Bindings, clock: ListenedClock, steps: Steps) {
    this.#registry = registry;
    this.#bindings = bindings;
    this.#clock = clock;
    this.#steps = steps;
  }

  /** The device gave news of itself, and thereby of its gateway. */
  hear(device: number): void {
    const { subjects, slots } = this.#bindings;
    this.#bindings.settle(device);
    for (let slot = subjects.silence(device); slot >= 0; slot = slots.next(slot)) {
      const variant = this.#bindings.variantOf(slot);
      this.evaluations++;
      this.#stimulus.now = this.#clock.hearing;
      slots.touch(slot);
      try {
        const outcome = variant.kind.step(slots.state, slots.offset(slot), variant.definition, this.#stimulus);
        if (outcome !== NOTHING) this.#steps.act(slot, variant, outcome);
      } catch (error) {
        this.#steps.broken(slot, variant, error);
      }
    }
    const gateway = subjects.gateway(device);
    if (gateway >= 0) this.hear(gateway);
    if (this.#holding.size > 0 && this.#holding.delete(device)) this.releaseChildren(device);
  }

  /** The slot's device waits until its gateway is heard. */
  hold(slot: number): void {
    this.#holding.add(this.#bindings.subjects.gateway(this.#bindings.slots.subject(slot)));
  }

  releaseChildren(gateway: number): void {
    const { subjects } = this.#bindings;
    for (const child of this.#registry.children(subjects.ids[gateway]!)) {
      const number = subjects.numberOf(child);
      if (number >= 0) this.release(number, subjects.silence(gateway));
    }
  }

  /** Lets a held child be judged soon; `upstream` is its gateway's slot, -1 = it has none any more. */
  release(device: number, upstream: number): void {
    const { subjects, slots } = this.#bindings;
    this.#bindings.settle(device);
    const from = upstream < 0 ? -1 : slots.offset(upstream);
    for (let slot = subjects.silence(device); slot >= 0; slot = slots.next(slot)) {
      const variant = this.#bindings.variantOf(slot);
      slots.touch(slot);
      const rule = variant.definition as Parameters<typeof absence.release>[2];
      if (absence.release(slots.state, slots.offset(slot), rule, this.#clock.hearing, from))
        this.#steps.arm(slot, variant);
    }
  }

  /** Slot of the same kind of the device's gateway, or -1. */
  upstream(slot: number, { subject }: Variant): number {
    if (subject !== 'silence') return -1;
    const { subjects, slots } = this.#bindings;
    const gateway = subjects.gateway(slots.subject(slot));
    if (gateway < 0) return -1;
    this.#bindings.settle(gateway);
    return subjects.silence(gateway);
  }
}
