import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type ImportPlan, isVerdictRule, type RuleActor, type RuleProblem } from '@smart-fire/core';
import { Check, type CheckDeps, pathsOfChange, placeKey, type RuleContent, tooManyOverrides } from './check.ts';
import type { PlacePaths } from './place-paths.ts';
import { presetDefinition } from './preset-definition.ts';
import type { Room } from './room.ts';
import type { Shelf } from './shelf.ts';
import { contentOf, type Step } from './stored-rule.ts';
import { lineOf, MOST_ERRORS, type RuleEntry, type RulesRead } from './yaml-read.ts';

interface ImportDeps {
  actor: RuleActor;
  shelf: Shelf;
  places: PlacePaths;
  checkDeps: CheckDeps;
  /** For rules of one's own. */
  room: Room;
}

/** Ids of own rules: what we give (UUIDs), or a name chosen in a file. */
const OWN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** What importing what was read would do. Changes nothing; with errors there are no steps. */
export async function planImport(
  { entries, errors }: RulesRead,
  deps: ImportDeps,
): Promise<{ plan: ImportPlan; steps: Step[] }> {
  const plan: ImportPlan = { created: [], changed: [], unchanged: [], errors: [...errors] };
  const steps: Step[] = [];
  const seen = new Set<string>();
  for (const entry of entries) {
    if (plan.errors.length >= MOST_ERRORS || plan.created.length > deps.room.left) break;
    // A thousand rules are checked while everything else goes on.
    await new Promise((resolve) => setImmediate(resolve));
    const found: RuleProblem[] = [];
    const { id } = entry.fields;
    if (typeof id === 'string' && seen.has(id)) found.push({ path: 'id', zh: `${id} 重复`, en: `${id} comes twice` });
    seen.add(String(id));
    const planned = planEntry(entry, String(id ?? ''), deps, found);
    for (const problem of found) plan.errors.push({ ...problem, line: lineOf(entry, problem.path) });
    if (!planned || found.length > 0) continue;
    plan[planned.what].push(String(id));
    if (planned.what !== 'unchanged') steps.push(planned.step);
  }
  if (plan.created.length > deps.room.left) plan.errors.push({ line: 1, path: '', ...deps.room.problem });
  plan.errors.sort((a, b) => a.line - b.line);
  return { plan, steps: plan.errors.length > 0 ? [] : steps };
}

function planEntry({ fields }: RuleEntry, id: string, deps: ImportDeps, found: RuleProblem[]) {
  const { actor, shelf, places, checkDeps } = deps;
  const say = (path: string, zh: string, en: string) => void found.push({ path, zh, en });
  const shipped = shelf.shipped.get(id);
  if (!shipped && id.startsWith('preset:'))
    return void say('id', `本程序没有预设 ${id}`, `this program ships no ${id}`);
  if (!shipped && !OWN_ID.test(id))
    return void say('id', '须为 1 至 64 位字母、数字或 . _ -', 'must be 1 to 64 letters, digits or . _ -');
  const record = shelf.get(id);
  const before = record ? contentOf(record) : null;
  if (record && !places.concern(record.scope, actor.scope))
    return void say('id', `编号 ${id} 已被占用`, `the id ${id} is taken`);

  const { id: _, mode, scope, schedule, overrides, ...rest } = fields;
  if (!shipped && scope === undefined)
    say('scope', '须写明范围;scope: {} 为全部设备', 'say for which devices; scope: {} is all of them');
  const base = shipped
    ? presetDefinition(shipped.definition, shipped.definition, rest)
    : { definition: { ...rest, id }, problems: [] };
  found.push(...base.problems);
  // What the actor cannot see he cannot have meant to remove.
  const hidden = (before?.overrides ?? []).filter((one) => !places.concern(one.scope, actor.scope));
  const raw = {
    definition: base.definition,
    scope: scope ?? shipped?.scope ?? {},
    mode: mode ?? shipped?.mode ?? 'on',
    schedule: schedule === undefined ? (shipped?.schedule ?? null) : schedule,
    overrides: Array.isArray(overrides)
      ? [...overrides.map((one: unknown) => withId(one, before)), ...hidden]
      : (overrides ?? [...(shipped?.overrides ?? []), ...hidden]),
  };
  const check = new Check(checkDeps);
  const after = check.content(raw, before);
  found.push(...check.problems);
  if (!after || found.length > 0) return;
  if (isVerdictRule(after.definition) && !isDeepStrictEqual(before, after))
    return void say('id', '设备自身的判定不能调整', 'what a device itself declares cannot be tuned');
  if (!pathsOfChange(before, after, places).every((path) => path.startsWith(actor.scope)))
    return void say('', '超出您的辖区', 'changes something outside your area');
  const tooMany = tooManyOverrides(before, after, actor.scope, places);
  if (tooMany) return void found.push(tooMany);
  const step: Step = { id, action: before ? 'update' : 'create', after };
  return { what: before ? (isDeepStrictEqual(before, after) ? 'unchanged' : 'changed') : 'created', step } as const;
}

/** An override written without an id is that of its place, or a new one. */
function withId(one: unknown, before: RuleContent | null): unknown {
  if (typeof one !== 'object' || one === null || 'id' in one) return one;
  const scope = (one as { scope?: unknown }).scope;
  const known =
    typeof scope === 'object' && scope !== null
      ? before?.overrides.find((other) => placeKey(other) === placeKey({ scope }))
      : undefined;
  return { ...one, id: known?.id ?? randomUUID() };
}
