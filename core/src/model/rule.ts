import type { AlarmClass } from './event.ts';

/** A sentence, where a number comes from. */
export interface Source {
  zh: string;
  en: string;
}

/** What a rule looks for: common fields and its kind's own parameters side by side, as they are written in YAML. */
export interface RuleDefinition {
  /** Stable id within its sensor kind or among the general presets; an own rule's is its whole id. */
  id: string;
  /** Name of the kind of rule, whose `params` say which other fields there are. */
  type: string;
  class: AlarmClass;
  zh: string;
  en: string;
  source: Source;
  [parameter: string]: unknown;
}

/** The device says so itself: one rule for each of its events that has a class (see EVENTS). */
export interface VerdictRule extends RuleDefinition {
  type: 'verdict';
  event: string;
}

/** Raised when the value has been beyond `limit` for `forMs` (0 = at once); cleared when it has come back by `hysteresis`. Units are the metric's. */
export interface ThresholdRule extends RuleDefinition {
  type: 'threshold';
  metric: string;
  direction: 'above' | 'below';
  limit: number;
  hysteresis: number;
  forMs: number;
}

/** Raised when nothing was heard for `afterMs` of listened time. */
export interface AbsenceRule extends RuleDefinition {
  type: 'absence';
  afterMs: number;
}

export function isVerdictRule(rule: RuleDefinition): rule is VerdictRule {
  return rule.type === 'verdict';
}

export function isThresholdRule(rule: RuleDefinition): rule is ThresholdRule {
  return rule.type === 'threshold';
}

export function isAbsenceRule(rule: RuleDefinition): rule is AbsenceRule {
  return rule.type === 'absence';
}

/** `shadow`: it runs and is counted, and raises nothing. */
export const RULE_MODES = ['on', 'shadow', 'off'] as const;
export type RuleMode = (typeof RULE_MODES)[number];

/** Which devices: all that is given must match, so `{}` is everything. An area means all that lies below it. */
export interface Scope {
  /** Sensor kinds. */
  kinds?: string[];
  area?: string;
  site?: string;
  zone?: string;
  device?: string;
}

/** Levels of an override, most specific first. */
export const SCOPE_LEVELS = ['device', 'zone', 'site', 'area'] as const;
export type ScopeLevel = (typeof SCOPE_LEVELS)[number];

/** Where a parameter's value comes from: the rule itself, or the level of the override that won. */
export type ParameterOrigin = ScopeLevel | 'rule';

/** A rule with a schedule raises only inside its windows, in TIME_ZONE. */
export interface Schedule {
  windows: ScheduleWindow[];
}

export interface ScheduleWindow {
  /** Days on which it begins, 1 = Monday … 7 = Sunday. */
  days: number[];
  /** HH:MM */
  from: string;
  /** HH:MM, exclusive; not after `from` = on the next day. */
  to: string;
}

/** Changed parameters for a narrower scope, which names exactly one level. */
export interface Override {
  id: string;
  scope: Scope;
  changes: Record<string, unknown> & { mode?: RuleMode; schedule?: Schedule | null };
}

/** A definition with where and how it is in force. */
export interface Rule {
  /** `preset:{sensor kind}:{id}`, `preset:{name}`, or a UUID for a rule of one's own. */
  id: string;
  /** Grows by one with every change; a preset as we ship it is 1. */
  version: number;
  definition: RuleDefinition;
  scope: Scope;
  mode: RuleMode;
  /** null = always. */
  schedule: Schedule | null;
  preset: boolean;
  overrides: Override[];
}

/** Work announced: from `from` to `to` (ms UTC, `to` exclusive) nothing but a fire is raised within the scope. */
export interface Maintenance {
  id: string;
  scope: Scope;
  from: number;
  to: number;
  reason: string;
  by: string;
}

/** How grave an early warning is; `fire` is shown and sounded as the highest priority, its class stays early-warning. */
export const LEVELS = ['early', 'fire'] as const;
export type Level = (typeof LEVELS)[number];
