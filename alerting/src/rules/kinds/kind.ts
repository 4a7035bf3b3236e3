import type { Level, RuleDefinition } from '@smart-fire/core';
import type { z } from 'zod';

/** What a step of a rule asks for. `ARM`: call `wake` at `wakeAt`. `HOLD`: decided later, when the gateway has been heard. */
export const NOTHING = 0;
export const RAISE = 1;
export const CLEAR = 2;
export const ARM = 3;
export const HOLD = 4;
export type Outcome = typeof NOTHING | typeof RAISE | typeof CLEAR | typeof ARM | typeof HOLD;

/** What a rule is given at a step: numbers only, in one object that is used again; never keep a reference. */
export interface Stimulus {
  /** Index into `inputs(rule)` of the metric that came; -1 = the device was heard. */
  input: number;
  /** Number of the detector (device and point), stable over restarts: tells the detectors of a zone apart. */
  source: number;
  value: number;
  /** The reading's own time (ms UTC), strictly ascending within a series. */
  time: number;
  /** Listened time: ms in which we heard the world, see `ListenedClock`; of rules on silence its hearing time. */
  now: number;
  /** False while the device is in alarm, in test or in maintenance: judge, but learn nothing. */
  learn: boolean;
}

/** A sentence for people. */
export interface Sentence {
  zh: string;
  en: string;
}

/** What was seen when a rule raised: the figures of the sentence, kept in the alarm's timeline. */
export type Evidence = Record<string, number>;

/** What a rule holds for normal of one of its inputs, in the metric's unit. */
export interface Learned {
  input: number;
  centre: number;
  low: number;
  high: number;
}

/**
 * A kind of rule: a pure step on `stateSize` numbers at `offset` of a shared array. No clock, randomness, I/O or state of its own.
 * A fresh state is all NaN; one whose first number is NaN is as good as fresh and is not kept over a restart.
 * The learned kinds may look at the state through `subarray`; the others allocate nothing in a step.
 */
export interface RuleKind<Rule extends RuleDefinition = RuleDefinition> {
  type: string;
  /** Name of the kind for people. */
  zh: string;
  en: string;
  /** The kind's own parameters, each with `.meta({ zh, en, unit })`; what a preset, a file or a form must satisfy. */
  params: z.ZodType;
  /** Whose the state is: a series' (device, point, metric), a device's or a zone's (a device without a zone is its own). */
  subject: 'series' | 'device' | 'zone';
  /** Metrics that feed it, in the order of `Stimulus.input`. */
  inputs(rule: Rule): readonly string[];
  stateSize(rule: Rule): number;
  /** One newer reading of an input. RAISE again while raised: it is worse now (`level` has risen) or was seen once more. */
  step(state: Float64Array, offset: number, rule: Rule, stimulus: Stimulus): Outcome;
  /** Kinds on series only: from the first to the last of these values a step leaves a fresh state fresh, so that it need not be taken. */
  quiet?(rule: Rule): readonly [low: number, high: number];
  /** Time as in `Stimulus.now` at which `wake` is to be called; Infinity = never. */
  wakeAt(state: Float64Array, offset: number, rule: Rule): number;
  /** Time has passed. `upstream` is the offset of the same rule kind's state of the device's gateway, or -1. */
  wake(state: Float64Array, offset: number, rule: Rule, now: number, upstream: number): Outcome;
  raised(state: Float64Array, offset: number): boolean;
  /** Kinds with levels only; null while not raised. */
  level?(state: Float64Array, offset: number): Level | null;
  /** 0 = normal, 1 = at its limit, and beyond. */
  score(state: Float64Array, offset: number, rule: Rule): number;
  /** Figures of the sentence, among them `windowMs`: how far back it looked. */
  evidence(state: Float64Array, offset: number, rule: Rule, now: number): Evidence;
  /** One sentence that a duty officer understands. */
  explain(rule: Rule, evidence: Evidence): Sentence;
  /** Learned kinds only; null = still learning. */
  learned?(state: Float64Array, offset: number, rule: Rule): Learned[] | null;
}
