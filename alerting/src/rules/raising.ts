import type { ListenedClock, Registry, RuleSource } from '@smart-fire/core';
import type { Bindings } from './bindings.ts';
import type { Disturbances } from './disturbances.ts';
import type { Effect, RaiseEffect } from './effect.ts';
import { absence } from './kinds/absence.ts';
import type { Evidence, Sentence } from './kinds/kind.ts';
import { fail, timeFor, type Variant } from './live-rule.ts';
import { RAISED, WITHHELD } from './slots.ts';
import type { Withholding } from './withholding.ts';

/** The entry at hand; its `time` is a reading's or event's own, else when it was received. */
export interface Moment {
  no: number;
  time: number;
  receivedAt: number;
}

export interface RaisingDeps {
  registry: Registry;
  bindings: () => Bindings;
  clock: ListenedClock;
  moment: Moment;
  withholding: Withholding;
  disturbances: Disturbances;
  emit: (effect: Effect) => void;
  withheld: Pick<RuleSource, 'withhold' | 'withheldOver'> | null;
}

/** From what a rule finds to effects: raised once until cleared, withheld in maintenance and outside schedules, apart when in shadow. */
export class Raising {
  readonly #deps: RaisingDeps;
  /** Slots whose condition is there and no alarm, because it is withheld. */
  readonly #waiting = new Set<number>();

  constructor(deps: RaisingDeps) {
    this.#deps = deps;
  }

  /** The condition is there, or there again. */
  raise(slot: number, variant: Variant): void {
    const { slots } = this.#deps.bindings();
    const known = slots.has(slot, RAISED);
    if (!known) this.#mark(slot, variant, true);
    const effect = this.#effect(slot, variant);
    if (!effect) return;
    if (!effect.shadow && (!known || slots.has(slot, WITHHELD)) && this.#withhold(slot, variant, effect)) return;
    if (slots.has(slot, WITHHELD)) this.#admit(slot, effect.cause);
    this.#deps.emit(effect);
  }

  clear(slot: number, variant: Variant, detail: Record<string, unknown>): void {
    const { slots, cause } = this.#slot(slot, variant);
    if (!slots.has(slot, RAISED)) return;
    this.#mark(slot, variant, false);
    if (slots.has(slot, WITHHELD)) this.#admit(slot, cause);
    else this.#deps.emit({ type: 'clear', ...this.#deps.moment, cause, shadow: variant.mode === 'shadow', detail });
  }

  /** The slot has another variant of its rule from now on. */
  relabelled(slot: number, before: Variant): void {
    const bindings = this.#deps.bindings();
    const variant = bindings.variantOf(slot);
    if (!bindings.slots.has(slot, RAISED)) return;
    if (before.mode !== variant.mode) {
      this.clear(slot, before, { reason: `rule-${variant.mode}` });
      this.raise(slot, variant);
    } else if (bindings.slots.has(slot, WITHHELD)) this.#deps.withholding.boundary = -Infinity;
  }

  /** A slot restored from a checkpoint as it was. */
  restored(slot: number, variant: Variant, withheld: boolean): void {
    this.#mark(slot, variant, true);
    if (!withheld || variant.mode !== 'on') return;
    this.#deps.bindings().slots.mark(slot, WITHHELD, true);
    this.#waiting.add(slot);
    this.#deps.withholding.boundary = -Infinity;
  }

  /** A window or schedule may have ended: what is still there becomes an alarm now. */
  lookAgain(): void {
    const { bindings, withholding, emit } = this.#deps;
    withholding.boundary = Infinity;
    for (const slot of [...this.#waiting]) {
      if (!bindings().settleSlot(slot) || !bindings().slots.has(slot, WITHHELD)) continue;
      const variant = bindings().variantOf(slot);
      const effect = this.#effect(slot, variant);
      if (!effect) continue;
      const why = this.#why(effect, variant);
      if (why) {
        withholding.boundary = Math.min(withholding.boundary, why.until);
        continue;
      }
      this.#admit(slot, effect.cause);
      emit(effect);
    }
  }

  /** False when it is to be raised. */
  #withhold(slot: number, variant: Variant, effect: RaiseEffect): boolean {
    const why = this.#why(effect, variant);
    if (!why) return false;
    const { bindings, withholding, withheld } = this.#deps;
    withholding.boundary = Math.min(withholding.boundary, why.until);
    bindings().slots.mark(slot, WITHHELD, true);
    this.#waiting.add(slot);
    const { no, cause, class: alarmClass, level, device, point, site, zone, time, explanation } = effect;
    withheld?.withhold({
      ...{ no, cause, why: why.why, rule: variant.live.id, maintenance: why.maintenance, class: alarmClass },
      ...{ level, device, point, site, zone, time, explanation },
    });
    return true;
  }

  #why({ class: alarmClass, level, device, receivedAt }: RaiseEffect, variant: Variant) {
    // A fire is never withheld.
    if (alarmClass === 'fire' || level === 'fire') return null;
    return this.#deps.withholding.why(variant, this.#deps.registry.devices.get(device)!, receivedAt);
  }

  /** No longer withheld: it is over, or an alarm now. */
  #admit(slot: number, cause: string): void {
    const { bindings, withheld, moment } = this.#deps;
    bindings().slots.mark(slot, WITHHELD, false);
    this.#waiting.delete(slot);
    withheld?.withheldOver({ no: moment.no, cause, time: moment.time });
  }

  #mark(slot: number, variant: Variant, raised: boolean): void {
    const { bindings, disturbances } = this.#deps;
    const { slots } = bindings();
    slots.mark(slot, RAISED, raised);
    if (!variant.disturbs || variant.mode !== 'on') return;
    const zone = variant.subject === 'zone';
    const number = zone ? slots.subject(slot) : bindings().deviceOf(slot, variant);
    disturbances.count(zone ? 'zone' : 'device', number, raised ? 1 : -1);
  }

  #slot(slot: number, variant: Variant) {
    const bindings = this.#deps.bindings();
    return { slots: bindings.slots, cause: bindings.cause(slot, variant) };
  }

  /** null when the device is gone. */
  #effect(slot: number, variant: Variant): RaiseEffect | null {
    const { registry, moment } = this.#deps;
    const bindings = this.#deps.bindings();
    const id = bindings.subjects.ids[bindings.deviceOf(slot, variant)];
    const device = id === undefined ? undefined : registry.devices.get(id);
    if (!device) return null;
    return {
      ...{ type: 'raise', ...moment, cause: bindings.cause(slot, variant), class: variant.definition.class },
      ...{ device: device.id, point: bindings.pointOf(slot, variant), site: device.site, zone: device.zone },
      ...{ rule: variant.live.id, event: null, shadow: variant.mode === 'shadow' },
      ...this.#said(slot, variant, device.id),
    };
  }

  /** What the kind says of it; a kind that throws while it speaks must not cost the alarm. */
  #said(slot: number, variant: Variant, id: string) {
    const { kind, live, definition, subject } = variant;
    const { slots } = this.#deps.bindings();
    const offset = slots.offset(slot);
    let level: RaiseEffect['level'] = null;
    let detail: Evidence = {};
    let explanation: Sentence = { zh: `${definition.zh}:条件成立`, en: `${definition.en}: its condition is there` };
    try {
      level = kind.level?.(slots.state, offset) ?? null;
      detail = kind.evidence(slots.state, offset, definition, timeFor(variant, this.#deps.clock));
      const affected = subject === 'silence' ? this.#affected(id) : 0;
      if (affected > 0) detail.affected = affected;
      explanation = kind.explain(definition, detail);
    } catch (error) {
      fail(live, error);
    }
    return { level, detail, explanation };
  }

  /** Children that had been heard: nothing is known of them while their gateway is gone. */
  #affected(gateway: string): number {
    const { slots, subjects } = this.#deps.bindings();
    let count = 0;
    for (const child of this.#deps.registry.children(gateway)) {
      const slot = subjects.silence(subjects.numberOf(child));
      if (slot >= 0 && absence.everHeard(slots.state, slots.offset(slot))) count++;
    }
    return count;
  }
}
