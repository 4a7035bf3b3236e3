import type { Rule, RuleDefinition } from '@smart-fire/core';
import type { RuleKindRow } from '../api/types.ts';
import { fault, fieldsOf, initialParameters } from './fields.ts';

/** What a person edits of a rule before it is saved. */
export type RuleDraftForm = Pick<Rule, 'definition' | 'scope' | 'schedule'>;

/** A rule of one's own as it begins: early warning, everywhere, always; with the figures of `example`, a rule of the same kind. */
export function newDraft(kind: RuleKindRow, example?: RuleDefinition): RuleDraftForm {
  const figures = fieldsOf(kind.schema).flatMap(({ name }): [string, unknown][] =>
    example?.[name] === undefined ? [] : [[name, structuredClone(example[name])]],
  );
  const definition: RuleDefinition = {
    ...{ id: '', type: kind.type, class: 'early-warning', zh: '', en: '', source: { zh: '', en: '' } },
    ...initialParameters(kind.schema),
    ...Object.fromEntries(figures),
  };
  return { definition, scope: {}, schedule: null };
}

/** A copy that may be edited. */
export function draftOf({ definition, scope, schedule }: RuleDraftForm): RuleDraftForm {
  return JSON.parse(JSON.stringify({ definition, scope, schedule }));
}

/** What was edited of `base`, on top of what is in force now: what somebody else changed meanwhile stays as he left it. */
export function rebased(edited: RuleDraftForm, base: RuleDraftForm, now: RuleDraftForm): RuleDraftForm {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const fields = Object.entries(edited.definition).filter(([name, value]) => !same(value, base.definition[name]));
  return draftOf({
    definition: { ...now.definition, ...Object.fromEntries(fields) },
    scope: same(edited.scope, base.scope) ? now.scope : edited.scope,
    schedule: same(edited.schedule, base.schedule) ? now.schedule : edited.schedule,
  });
}

export function sameDraft(a: RuleDraftForm, b: RuleDraftForm): boolean {
  return JSON.stringify(draftOf(a)) === JSON.stringify(draftOf(b));
}

/** Everything is filled in and within its bounds; the server has the last word. */
export function isComplete({ definition }: RuleDraftForm, kind: RuleKindRow): boolean {
  return (
    definition.zh.trim() !== '' &&
    definition.en.trim() !== '' &&
    fieldsOf(kind.schema).every((field) => fault(field, definition[field.name]) === null)
  );
}
