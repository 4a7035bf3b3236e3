import type { RuleDefinition } from '@smart-fire/core';
import { absence } from './absence.ts';
import type { RuleKind } from './kind.ts';
import { threshold } from './threshold.ts';
import { verdict } from './verdict.ts';

/** Every kind of rule, by the `type` of its definitions. A new kind is one file and one line here. */
export const RULE_KINDS = { verdict, threshold, absence } as const satisfies Record<RuleDefinition['type'], unknown>;

export function ruleKind(type: RuleDefinition['type']): RuleKind {
  return RULE_KINDS[type] as unknown as RuleKind;
}
