import { type AlarmClass, EVENTS, isKnownEvent, type VerdictRule } from '@smart-fire/core';
import { z } from 'zod';
import { NOTHING, type RuleKind, type Sentence } from './kind.ts';

/** What an event word does to the alarm of cause `{word}:{device}:{point}`. */
export type Verdict = { type: 'raise'; word: string; class: AlarmClass } | { type: 'clear'; word: string };

/** The device says so itself: nothing is weighed, its word counts on arrival. Words without a class (`test`, unknown ones) raise nothing. */
export function verdictOf(event: string): Verdict | null {
  if (!isKnownEvent(event)) return null;
  const known = EVENTS[event];
  if ('class' in known) return { type: 'raise', word: event, class: known.class };
  if ('restores' in known) return { type: 'clear', word: known.restores };
  return null;
}

export function explainVerdict(event: string, detail: string | null): Sentence {
  const words = isKnownEvent(event) ? EVENTS[event] : { zh: event, en: event };
  return {
    zh: `设备自身报告:${words.zh}${detail ? `(${detail})` : ''}`,
    en: `Declared by the device: ${words.en}${detail ? ` (${detail})` : ''}`,
  };
}

/** Holds no state: every declaration goes to the alarm, which counts repeats. */
export const verdict: RuleKind<VerdictRule> = {
  type: 'verdict',
  zh: '设备判定',
  en: "Device's verdict",
  params: z.object({
    event: z
      .string()
      .refine((event) => verdictOf(event)?.type === 'raise')
      .meta({ zh: '事件', en: 'Event', unit: '' }),
  }),
  subject: 'device',
  inputs: () => [],
  stateSize: () => 0,
  step: () => NOTHING,
  wakeAt: () => Infinity,
  wake: () => NOTHING,
  raised: () => false,
  score: () => 0,
  evidence: () => ({ windowMs: 0 }),
  explain: (rule) => explainVerdict(rule.event, null),
};
