import { isDeepStrictEqual } from 'node:util';
import {
  isMetric,
  isSeen,
  lieWithin,
  METRIC_NAMES,
  type Override,
  pathOfPlace,
  placeOf,
  type Registry,
  type Rule,
  type RuleDefinition,
  type RuleProblem,
  SCOPE_LEVELS,
  type Scope,
} from '@smart-fire/core';
import { ruleCommonFields, ruleMode, ruleOverride, ruleSchedule, ruleScope } from '@smart-fire/core/node';
import type { z } from 'zod';
import { type DescribedKind, unitOf } from './described-kinds.ts';
import type { PlacePaths } from './place-paths.ts';
import { joinPath, problemsOf } from './problems.ts';
import { MOST_OVERRIDES, roomFor } from './room.ts';

/** What people can change of a rule. */
export type RuleContent = Pick<Rule, 'definition' | 'scope' | 'mode' | 'schedule' | 'overrides'>;

/** As it came: from a form, a file or the store. */
export type UncheckedContent = { [Field in keyof RuleContent]: unknown };

export interface CheckDeps {
  registry: Registry;
  sensorKinds: ReadonlySet<string>;
  kinds: ReadonlyMap<string, DescribedKind>;
  /** Path of who asks: places that do not concern it do not exist for him. */
  seenFrom: string;
}

/** Fields of a definition that belong to no kind. */
const COMMON = ['id', 'type', 'class', 'zh', 'en', 'source'];
/** Characters of JSON of a rule, and of all its overrides: a rule is read by people. */
const LARGEST = 64 * 1024;
const LARGEST_OVERRIDES = 4 * LARGEST;

/** Finds every problem of a rule at once. Pure, but for the registry it looks places and metrics up in. */
export class Check {
  readonly problems: RuleProblem[] = [];
  readonly #deps: CheckDeps;
  readonly #at: string;

  /** @param at prefix of every problem's path */
  constructor(deps: CheckDeps, at = '') {
    this.#deps = deps;
    this.#at = at;
  }

  /**
   * The rule as it is stored: parameters in their order, defaults filled in; null with problems. `before` is what is in force:
   * a place it names may be no more.
   */
  content(raw: UncheckedContent, before: RuleContent | null): RuleContent | null {
    const json = JSON.stringify(raw);
    const ofOverrides = JSON.stringify(raw.overrides ?? null).length;
    for (const [path, length, most] of [
      ['', json.length - ofOverrides, LARGEST],
      ['overrides', ofOverrides, LARGEST_OVERRIDES],
    ] as const) {
      if (length <= most) continue;
      this.#say(path, `过长:${length} 个字符,最多 ${most}`, `has ${length} characters, at most ${most} are allowed`);
      return null;
    }
    // As it will be when it is read again: without undefined fields, and with one zero.
    const given = JSON.parse(json) as UncheckedContent;
    const definition = this.definition(given.definition);
    const where = this.#parse(ruleScope, given.scope, 'scope');
    const how = this.#parse(ruleMode, given.mode, 'mode');
    const when = given.schedule === null ? null : this.#parse(ruleSchedule, given.schedule, 'schedule');
    if (where !== undefined) this.#scope(where, before?.scope, 'scope');
    const overrides = definition && where ? this.#overrides(given.overrides, definition, where, before) : [];
    if (when && definition?.class === 'fire')
      this.#say(
        'schedule',
        '火警规则不能设时段:火警从不屏蔽',
        'a rule of class fire takes no schedule: a fire is never withheld',
      );
    if (!definition || !where || !how || when === undefined || this.problems.length > 0) return null;
    return { definition, scope: tidyScope(where), mode: how, schedule: when, overrides };
  }

  definition(raw: unknown): RuleDefinition | undefined {
    const found = this.problems.length;
    const given = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
    const { type } = given;
    const described = typeof type === 'string' ? this.#deps.kinds.get(type) : undefined;
    const common = this.#parse(ruleCommonFields, given, '');
    if (!described) {
      const known = [...this.#deps.kinds.keys()].join(', ');
      this.#say('type', `没有此类规则;已有:${known}`, `no such kind of rule; there are ${known}`);
      return undefined;
    }
    const parameters = this.#parameters(described, given, given);
    if (!common || !parameters || this.problems.length > found) return undefined;
    const definition = { id: String(given.id), type: described.view.type, ...common, ...parameters };
    this.#metrics(described, definition);
    return definition;
  }

  /** Parameters of a kind out of `raw`; units are read from `definition`. */
  #parameters({ kind, parameters }: DescribedKind, raw: Record<string, unknown>, definition: Record<string, unknown>) {
    for (const key of Object.keys(raw)) {
      if (COMMON.includes(key) || parameters.has(key)) continue;
      const known = [...parameters.keys()].join(', ');
      this.#say(key, `没有此参数;已有:${known}`, `no such parameter; there are ${known}`);
    }
    const given = Object.fromEntries(Object.entries(raw).filter(([key]) => parameters.has(key)));
    const parsed = kind.params.safeParse(given);
    if (!parsed.success) {
      const about = ([name]: readonly PropertyKey[]) => {
        const parameter = parameters.get(String(name));
        if (!parameter) return { zh: '', en: '' };
        const allowed = [parameter.bounds, unitOf(parameter, definition)].filter(Boolean).join(' ');
        return {
          zh: `(${parameter.zh}${allowed && `,${allowed}`})`,
          en: ` (${parameter.en}${allowed && `, ${allowed}`})`,
        };
      };
      this.problems.push(...problemsOf(parsed.error, given, this.#at, about));
      return undefined;
    }
    const values = parsed.data as Record<string, unknown>;
    const ordered = [...parameters.keys()].filter((name) => values[name] !== undefined);
    return Object.fromEntries(ordered.map((name) => [name, values[name]]));
  }

  /** Devices report only metrics we know; a rule on another one would never see a reading. */
  #metrics({ kind, parameters }: DescribedKind, definition: RuleDefinition): void {
    for (const metric of kind.inputs(definition)) {
      if (isMetric(metric)) continue;
      const field = [...parameters.keys()].find((name) => JSON.stringify(definition[name])?.includes(metric)) ?? '';
      const known = METRIC_NAMES.join(', ');
      this.#say(field, `没有指标 ${metric};已有:${known}`, `there is no metric ${metric}; there are ${known}`);
    }
  }

  #overrides(
    raw: unknown,
    definition: RuleDefinition,
    where: Scope,
    before: RuleContent | null | undefined,
  ): Override[] {
    const parsed = this.#parse(ruleOverride.array().max(MOST_OVERRIDES.all), raw, 'overrides');
    const overrides = (parsed ?? []).map((one, index) => {
      const known = before?.overrides.find(({ id }) => id === one.id);
      // A device that has moved since takes its override along; that puts no rule out of force.
      const asBefore = isDeepStrictEqual(where, before?.scope) && isDeepStrictEqual(one.scope, known?.scope);
      return this.#override(one, `overrides.${index}`, definition, asBefore ? null : where, known);
    });
    const places = overrides.map(placeKey);
    const twice = places.findIndex((place, index) => places.indexOf(place) !== index);
    if (twice >= 0)
      this.#say(`overrides.${twice}.scope`, '同一位置只能有一项局部设置', 'one place can have one override only');
    return overrides.sort((a, b) => (placeKey(a) < placeKey(b) ? -1 : 1));
  }

  #override(
    one: z.infer<typeof ruleOverride>,
    at: string,
    definition: RuleDefinition,
    where: Scope | null,
    before: Override | undefined,
  ): Override {
    const levels = SCOPE_LEVELS.filter((level) => one.scope[level] !== undefined);
    if (levels.length !== 1 || one.scope.kinds)
      this.#say(
        `${at}.scope`,
        '须且只能指定 area、site、zone、device 之一',
        'name exactly one of area, site, zone, device',
      );
    this.#scope(one.scope, before?.scope, `${at}.scope`);
    const place = placeOf(one.scope);
    if (where && place && pathOfPlace(place.level, place.id, this.#deps.registry) !== undefined)
      if (!lieWithin(one.scope, where, this.#deps.registry))
        this.#say(`${at}.scope`, '不在该规则的范围之内', 'lies outside the scope of the rule');
    const zoneWide = this.#deps.kinds.get(definition.type)?.kind.subject === 'zone';
    if (zoneWide && !before && place?.level === 'device' && this.#deps.registry.devices.get(place.id)?.zone)
      this.#say(
        `${at}.scope`,
        '该规则按部位判定,不能只为其中一台设备更改',
        'the rule judges a zone as a whole: name its zone, not one device of it',
      );
    if (Object.keys(one.changes).length === 0) this.#say(`${at}.changes`, '没有任何更改', 'changes nothing');
    const { mode: changedMode, schedule: changedSchedule, ...parameters } = one.changes;
    const inner = new Check(this.#deps, joinPath(this.#at, [at, 'changes']));
    const changes: Override['changes'] = {};
    for (const key of Object.keys(parameters))
      if (COMMON.includes(key)) inner.#say(key, '局部设置不能更改此项', 'an override cannot change this');
    if (inner.problems.length === 0) {
      const described = this.#deps.kinds.get(definition.type)!;
      const merged = { ...definition, ...parameters };
      const checked = inner.#parameters(described, merged, merged);
      if (checked) inner.#metrics(described, { ...definition, ...checked });
      for (const key of Object.keys(parameters)) changes[key] = checked?.[key];
    }
    if (changedMode !== undefined) {
      const parsed = inner.#parse(ruleMode, changedMode, 'mode');
      if (parsed) changes.mode = parsed;
    }
    if (changedSchedule !== undefined) {
      const parsed = changedSchedule === null ? null : inner.#parse(ruleSchedule, changedSchedule, 'schedule');
      if (parsed !== undefined) changes.schedule = parsed;
      if (parsed && definition.class === 'fire')
        inner.#say('schedule', '火警规则不能设时段', 'a rule of class fire takes no schedule');
    }
    this.problems.push(...inner.problems);
    return { id: one.id, scope: one.scope, changes };
  }

  /** Places exist and lie in each other, unless they were there before: they may have been removed since. */
  #scope(given: Scope, before: Scope | undefined, at: string): void {
    if (before && isDeepStrictEqual(given, before)) return;
    const { registry, sensorKinds, seenFrom } = this.#deps;
    for (const kind of given.kinds ?? [])
      if (!sensorKinds.has(kind)) this.#say(`${at}.kinds`, `没有传感器类型 ${kind}`, `there is no sensor kind ${kind}`);
    const named = SCOPE_LEVELS.filter((level) => given[level] !== undefined);
    for (const level of named) {
      const id = given[level]!;
      if (!isSeen(level, id, seenFrom, registry)) this.#say(`${at}.${level}`, `${id} 不存在`, `${id} does not exist`);
      else if (!lieWithin(given, { [level]: id }, registry))
        this.#say(`${at}.${level}`, `各级范围互不包含`, 'the places of the scope do not lie in each other');
    }
  }

  #parse<T>(shape: z.ZodType<T>, raw: unknown, at: string): T | undefined {
    const parsed = shape.safeParse(raw);
    if (parsed.success) return parsed.data;
    this.problems.push(...problemsOf(parsed.error, raw, joinPath(this.#at, at === '' ? [] : [at])));
    return undefined;
  }

  #say(path: string, zh: string, en: string): void {
    this.problems.push({ path: joinPath(this.#at, path === '' ? [] : [path]), zh, en });
  }
}

/** Sorts overrides as they are resolved, the widest first, then by place. */
export function placeKey({ scope: where }: Pick<Override, 'scope'>): string {
  const place = placeOf(where);
  return place === null ? '' : `${SCOPE_LEVELS.length - SCOPE_LEVELS.indexOf(place.level)} ${place.id}`;
}

/** What is told when who holds `scope` adds more overrides than his area has room for; null when he may. */
export function tooManyOverrides(
  before: RuleContent | null,
  after: RuleContent,
  scope: string,
  places: PlacePaths,
): RuleProblem | null {
  const had = before?.overrides ?? [];
  const paths = had.map((one) => places.pathOf(one.scope));
  const { left, problem } = roomFor(scope, paths, MOST_OVERRIDES);
  const added = after.overrides.length - had.length;
  return added > 0 && added > left ? { path: 'overrides', ...problem } : null;
}

/** Fields in one order, so that equal scopes are written alike. */
function tidyScope(given: Scope): Scope {
  const { kinds, area, site, zone, device } = given;
  return Object.fromEntries(
    Object.entries({ kinds, area, site, zone, device }).filter(([, value]) => value !== undefined),
  ) as Scope;
}

/** Paths of the tree that a change from one to the other concerns: whoever makes it must hold all of them. */
export function pathsOfChange(before: RuleContent | null, after: RuleContent | null, places: PlacePaths): string[] {
  const { overrides: had = [], ...old } = before ?? {};
  const { overrides: has = [], ...now } = after ?? {};
  const bases = [before, after].flatMap((rule) => (rule ? [places.pathOf(rule.scope)] : []));
  const changed = [...had, ...has].filter(
    (one) =>
      !isDeepStrictEqual(
        had.find(({ id }) => id === one.id),
        has.find(({ id }) => id === one.id),
      ),
  );
  return [...(isDeepStrictEqual(old, now) ? [] : bases), ...changed.map((one) => places.pathOf(one.scope))];
}
