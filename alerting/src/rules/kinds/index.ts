import { absence } from './absence.ts';
import { baseline } from './baseline.ts';
import { expression } from './expression.ts';
import { forecast } from './forecast.ts';
import { fusion } from './fusion.ts';
import type { RuleKind } from './kind.ts';
import { multivariate } from './multivariate.ts';
import { rate } from './rate.ts';
import { threshold } from './threshold.ts';
import { verdict } from './verdict.ts';
import { vote } from './vote.ts';

/** Every kind of rule, by the `type` of its definitions. A new kind is one file and one line here. */
export const RULE_KINDS = {
  verdict,
  threshold,
  absence,
  fusion,
  vote,
  expression,
  baseline,
  rate,
  forecast,
  multivariate,
};

/** undefined for a type we do not know. */
export function ruleKind(type: string): RuleKind | undefined {
  return Object.hasOwn(RULE_KINDS, type)
    ? (RULE_KINDS[type as keyof typeof RULE_KINDS] as unknown as RuleKind)
    : undefined;
}
