import { isDeepStrictEqual } from 'node:util';
import type { RuleDefinition, RuleProblem } from '@smart-fire/core';

/** What a preset is, as opposed to how it is tuned: these stay as shipped. */
const FIXED = ['id', 'type', 'class', 'zh', 'en', 'source'];

/** A preset's definition with the parameters `given` changes on `base`; its identity may be repeated but not changed. */
export function presetDefinition(
  shipped: RuleDefinition,
  base: RuleDefinition,
  given: Record<string, unknown>,
): { definition: RuleDefinition; problems: RuleProblem[] } {
  const problems = FIXED.filter(
    (field) => given[field] !== undefined && !isDeepStrictEqual(given[field], shipped[field]),
  ).map((path) => ({
    path,
    zh: '预设规则的此项不能更改,请另建规则',
    en: 'cannot be changed in a preset; make a rule of your own',
  }));
  const parameters = Object.entries(given).filter(([field]) => !FIXED.includes(field));
  return { definition: { ...base, ...Object.fromEntries(parameters) }, problems };
}
