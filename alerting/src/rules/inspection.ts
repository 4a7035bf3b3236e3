import type { Bindings } from './bindings.ts';
import type { Learned } from './kinds/kind.ts';
import { fail } from './live-rule.ts';

/** What a rule holds for normal of one series. */
export interface LearnedSeries extends Learned {
  point: string;
  metric: string;
}

/** The highest of a rule's scores for a device; null when it has seen nothing of it. */
export function scoreOf(bindings: Bindings, rule: string, device: string): number | null {
  let highest: number | null = null;
  for (const { slot, variant } of of(bindings, rule, device)) {
    try {
      const score = variant.kind.score(bindings.slots.state, bindings.slots.offset(slot), variant.definition);
      if (highest === null || score > highest) highest = score;
    } catch (error) {
      fail(variant.live, error);
    }
  }
  return highest;
}

/** null = nothing learned (yet). */
export function learnedOf(bindings: Bindings, rule: string, device: string): LearnedSeries[] | null {
  const found: LearnedSeries[] = [];
  for (const { slot, variant } of of(bindings, rule, device)) {
    const { kind, definition, inputs, subject } = variant;
    const point = subject === 'zone' ? '' : bindings.pointOf(slot, variant);
    try {
      for (const one of kind.learned?.(bindings.slots.state, bindings.slots.offset(slot), definition) ?? [])
        found.push({ ...one, point, metric: inputs[one.input]! });
    } catch (error) {
      fail(variant.live, error);
    }
  }
  return found.length === 0 ? null : found;
}

function* of(bindings: Bindings, rule: string, device: string) {
  for (const slot of bindings.slotsOf(bindings.subjects.numberOf(device))) {
    const variant = bindings.variantOf(slot);
    if (variant.live.id === rule) yield { slot, variant };
  }
}
