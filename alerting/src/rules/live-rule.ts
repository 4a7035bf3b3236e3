import type { ListenedClock, Rule, RuleDefinition, RuleMode, Schedule } from '@smart-fire/core';
import type { RuleKind } from './kinds/kind.ts';

/** A rule in force, with what has gone wrong in it. */
export interface LiveRule {
  id: string;
  rule: Rule;
  kind: RuleKind;
  /** How often it threw since the start, and what it said last ('' = never). */
  errors: number;
  lastError: string;
}

/** A rule as some devices have it: its overrides resolved. */
export interface Variant {
  /** Dense, for typed arrays; used again when no slot has it any more. */
  index: number;
  live: LiveRule;
  kind: RuleKind;
  definition: RuleDefinition;
  mode: RuleMode;
  schedule: Schedule | null;
  inputs: readonly string[];
  /** Numbers of state. */
  size: number;
  /** True when its rule has changed or gone: slots that still have it are on their way to another. */
  retired: boolean;
  /** Numbers that a slot of it takes: for a zone one more, the series that fed it last. */
  length: number;
  subject: 'series' | 'device' | 'zone' | 'silence';
  /** It is told whether it may learn. */
  learns: boolean;
  /** While it is raised nobody learns from the device: what it looks at is what the device measures. */
  disturbs: boolean;
}

/** Metrics of the device itself: a low battery does not make its readings any less normal. */
const OWN_METRICS = new Set(['battery', 'signal']);

/** Throws what the kind throws on a definition it cannot take. */
export function makeVariant(
  index: number,
  live: LiveRule,
  { definition: given, mode, schedule }: Pick<Rule, 'definition' | 'mode' | 'schedule'>,
): Variant {
  const { kind } = live;
  // Parameters that were left out are filled in.
  const definition = { ...given, ...(kind.params.parse(given) as object) };
  const inputs = kind.inputs(definition);
  const silence = kind.type === 'absence';
  const size = kind.stateSize(definition);
  return {
    ...{ index, live, kind, definition, mode, schedule, inputs, size, retired: false },
    length: kind.subject === 'zone' ? size + 1 : size,
    subject: silence ? 'silence' : kind.subject,
    learns: kind.learned !== undefined || 'learn' in definition,
    disturbs: !silence && !inputs.every((metric) => OWN_METRICS.has(metric)),
  };
}

/** `Stimulus.now` for a rule. */
export function timeFor({ subject }: Variant, clock: ListenedClock): number {
  return subject === 'silence' ? clock.hearing : clock.now;
}

/** What a state is made of: one can go on where another of the same make has stopped. */
export function makeOf({ kind, size, inputs }: Variant): string {
  return `${kind.type} ${size} ${inputs.join(',')}`;
}

export function fail(live: LiveRule, error: unknown): void {
  live.errors++;
  live.lastError = error instanceof Error ? error.message : String(error);
}
