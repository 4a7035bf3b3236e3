import type { RuleDefinition } from '@smart-fire/core';
import type { z } from 'zod';

/** What a step of a rule asks for. `ARM`: call `wake` at `wakeAt`. `HOLD`: decided later, when the gateway has been heard. */
export const NOTHING = 0;
export const RAISE = 1;
export const CLEAR = 2;
export const ARM = 3;
export const HOLD = 4;
export type Outcome = typeof NOTHING | typeof RAISE | typeof CLEAR | typeof ARM | typeof HOLD;

/** A sentence for people. */
export interface Sentence {
  zh: string;
  en: string;
}

/** What was seen when a rule raised: the figures of the sentence, kept in the alarm's timeline. */
export type Evidence = Record<string, number>;

/**
 * A kind of rule: a pure step on `stateSize` numbers at `offset` of a shared array; its last argument `now` is listened time
 * (ms in which we heard the world, see `ListenedClock`), `time` is the reading's own (ms UTC). A fresh state is all NaN; one whose first number is NaN is as good as fresh and is not kept over a restart.
 */
export interface RuleKind<Rule extends RuleDefinition = RuleDefinition> {
  type: Rule['type'];
  /** Parameters with their units; what a preset or a form must satisfy. */
  params: z.ZodType;
  stateSize: number;
  /** One newer reading of the series (or, for a rule of a device, that it was heard: value and time are NaN). */
  step(state: Float64Array, offset: number, rule: Rule, value: number, time: number, now: number): Outcome;
  /** Listened time at which `wake` is to be called; Infinity = never. */
  wakeAt(state: Float64Array, offset: number, rule: Rule): number;
  /** Time has passed. `upstream` is the offset of the same rule kind's state of the device's gateway, or -1. */
  wake(state: Float64Array, offset: number, rule: Rule, now: number, upstream: number): Outcome;
  raised(state: Float64Array, offset: number): boolean;
  evidence(state: Float64Array, offset: number, rule: Rule, now: number): Evidence;
  explain(rule: Rule, evidence: Evidence): Sentence;
}
