import { isDeepStrictEqual } from 'node:util';
import { type Override, placeOf, type RuleDifference } from '@smart-fire/core';
import type { RuleContent } from './check.ts';

/** What changed from one state of a rule to the next, field by field; a null side = there was, or is, no such rule. */
export function differences(before: RuleContent | null, after: RuleContent | null): RuleDifference[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((field) => {
    const [from, to] = [old.get(field), now.get(field)];
    return isDeepStrictEqual(from, to) ? [] : [{ field, from: from ?? null, to: to ?? null }];
  });
}

function fieldsOf(content: RuleContent | null): Map<string, unknown> {
  if (!content) return new Map();
  const { definition, scope, mode, schedule, overrides } = content;
  const named = overrides.map((one: Override): [string, unknown] => {
    const place = placeOf(one.scope);
    return [`override ${place?.level} ${place?.id}`, one.changes];
  });
  return new Map([...Object.entries(definition), ['scope', scope], ['mode', mode], ['schedule', schedule], ...named]);
}
