import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { ALARM_CLASSES, FireError, type Rule, type RuleDefinition } from '@smart-fire/core';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { parse } from 'yaml';
import { z } from 'zod';
import { ruleKind } from '../rules/kinds/index.ts';

const words = z.object({ zh: z.string(), en: z.string() });

/** What surrounds a definition in a file; a backtest asks for a rule on the data at hand, always. */
const aside = z.unknown().optional();
const surroundings = { scope: aside, mode: aside, schedule: aside, overrides: aside };

/** One rule as a file has it. What only people need may be left out; a preset's id with changed parameters is that preset, changed. */
const written = z.looseObject({
  ...surroundings,
  type: z.string().optional(),
  id: z.string().min(1).optional(),
  class: z.enum(ALARM_CLASSES).optional(),
  zh: z.string().optional(),
  en: z.string().optional(),
  source: words.optional(),
});
/** Alone, under `definition`, or the only one of an export. */
const file = z.union([
  z.object({ rules: z.tuple([written]) }).transform(({ rules }) => rules[0]),
  z.object({ definition: written }).transform(({ definition }) => definition),
  written,
]);

/**
 * The rule that `--rule` means: a preset by its id, else a file (YAML or JSON), else an own rule by its id.
 * Throws FIRE_RULE_INVALID for one that is not there or not valid.
 */
export async function findRule(given: string, ownRule: (id: string) => Promise<Rule | null>): Promise<Rule> {
  if (given.startsWith('preset:')) {
    const found = preset(given);
    if (found) return checkedRule(found);
    const known = presetRules(SENSOR_KINDS).filter(({ definition }) => definition.type !== 'verdict');
    throw refusal(given, `there is no such preset; there are ${known.map(({ id }) => id).join(', ')}`);
  }
  let text: string | null = null;
  try {
    text = readFileSync(given, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw refusal(given, (error as Error).message, error);
  }
  if (text !== null) return checkedRule(ruleOfText(text, given), given);
  const own = await ownRule(given);
  if (!own) throw refusal(given, 'there is no such file, and no rule of that id in DATA_DIR');
  return checkedRule(own);
}

/** The rule with its kind's defaults filled in. Throws FIRE_RULE_INVALID. */
export function checkedRule(rule: Rule, given = rule.id): Rule {
  const kind = ruleKind(rule.definition.type);
  if (!kind) throw refusal(given, `there is no kind of rule "${rule.definition.type}"`);
  const parameters = kind.params.safeParse(rule.definition);
  if (!parameters.success) throw refusal(given, z.prettifyError(parameters.error));
  return { ...rule, definition: { ...rule.definition, ...(parameters.data as object) } };
}

function preset(id: string): Rule | undefined {
  return presetRules(SENSOR_KINDS).find((rule) => rule.id === id);
}

function ruleOfText(text: string, given: string): Rule {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw refusal(given, (error as Error).message, error);
  }
  const parsed = file.safeParse(content);
  if (!parsed.success)
    throw refusal(given, 'it is not one rule: an object with `type` and the parameters of that kind');
  const { scope: _, mode: __, schedule: ___, overrides: ____, id: own, type, ...fields } = parsed.data;
  const base = own === undefined ? undefined : preset(own);
  if (base) return { ...base, definition: { ...base.definition, ...fields, ...(type && { type }) } as RuleDefinition };
  const id = own ?? basename(given, extname(given));
  const name = fields.en ?? fields.zh ?? id;
  if (type === undefined) throw refusal(given, 'it has no `type`: the kind of rule');
  const people = { class: 'early-warning', zh: name, en: name, source: { zh: given, en: given } };
  return {
    ...{ id, version: 1, definition: { ...people, ...fields, type, id } as RuleDefinition },
    ...{ scope: {}, mode: 'on', schedule: null, preset: false, overrides: [] },
  };
}

function refusal(rule: string, problem: string, cause?: unknown): FireError {
  return new FireError('FIRE_RULE_INVALID', { problems: `${rule}: ${problem}` }, cause);
}
