import { randomUUID } from 'node:crypto';
import {
  type Clock,
  FireError,
  isVerdictRule,
  type Registry,
  type Rule,
  type RuleActor,
  type RuleBook,
  type RuleChange,
  type RuleDraft,
  type RuleRecord,
  type SensorKind,
  type Service,
  Words,
} from '@smart-fire/core';
import type { Logger, StateStore } from '@smart-fire/core/node';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { RULE_KINDS } from '../rules/kinds/index.ts';
import type { RuleKind } from '../rules/kinds/kind.ts';
import { Check, pathsOfChange, placeKey, type RuleContent, tooManyOverrides, type UncheckedContent } from './check.ts';
import { describeKinds } from './described-kinds.ts';
import { differences } from './differences.ts';
import { planImport } from './import-plan.ts';
import { MaintenanceWindows } from './maintenance.ts';
import { PlacePaths } from './place-paths.ts';
import { presetDefinition } from './preset-definition.ts';
import { invalid } from './problems.ts';
import { createRuleRepository, type RuleWrite } from './repository.ts';
import { type Room, roomFor } from './room.ts';
import { Shelf } from './shelf.ts';
import { contentOf, type Step } from './stored-rule.ts';
import { createTurns } from './turns.ts';
import { createWithheldLog } from './withheld.ts';
import { createYamlReader } from './yaml-reader.ts';
import { writeRules } from './yaml-write.ts';

export interface RuleBookDeps {
  state: StateStore;
  registry: Registry;
  clock: Clock;
  log: Logger;
  sensorKinds?: readonly SensorKind[];
  presets?: readonly Rule[];
  kinds?: readonly RuleKind[];
}

/** The rules as versioned data over the state store. `start` loads them; rejects with FIRE_STATE_UNAVAILABLE, FIRE_FORMAT_UNKNOWN. */
export function createRuleBook(deps: RuleBookDeps): RuleBook & Service {
  const { state, registry, clock } = deps;
  const { sensorKinds = SENSOR_KINDS, presets = presetRules(sensorKinds) } = deps;
  const kinds = describeKinds(deps.kinds ?? (Object.values(RULE_KINDS) as unknown as RuleKind[]));
  const checkDeps = { registry, kinds, sensorKinds: new Set(sensorKinds.map(({ kind }) => kind)) };
  const repository = createRuleRepository(state);
  const places = new PlacePaths(registry);
  const shelf = new Shelf(presets, { ...checkDeps, places });
  const windows = new MaintenanceWindows({ repository, registry, places, clock, sensorKinds: checkDeps.sensorKinds });
  const withheldLog = createWithheldLog(deps);
  const listeners = new Set<() => void>();

  const yaml = createYamlReader(deps);
  // One change after the other: each is checked against what the one before has left.
  const turns = createTurns();
  const inTurn = turns.take;
  function announceChange(): void {
    for (const listener of listeners) listener();
  }

  /** As far as it concerns the path; undefined when it does not. */
  function seen(record: RuleRecord | undefined, scope: string): RuleRecord | undefined {
    if (!record || !places.concern(record.scope, scope)) return undefined;
    return scope === '/' ? record : within(record, scope);
  }

  function within<T extends Pick<Rule, 'overrides'>>(rule: T, scope: string): T {
    return { ...rule, overrides: rule.overrides.filter((one) => places.concern(one.scope, scope)) };
  }

  function find(actor: RuleActor, id: string, version: number | undefined): RuleRecord {
    if (!seen(shelf.get(id), actor.scope)) throw notFound(id);
    const record = shelf.get(id)!;
    if (version !== undefined && record.version !== version)
      throw new FireError('FIRE_RULE_CHANGED', { version: record.version });
    if (isVerdictRule(record.definition)) throw new FireError('FIRE_RULE_FIXED');
    return record;
  }

  function checked(actor: RuleActor, raw: UncheckedContent, before: RuleContent | null): RuleContent {
    const check = new Check({ ...checkDeps, seenFrom: actor.scope });
    const content = check.content(raw, before);
    if (!content) throw invalid(check.problems);
    return content;
  }

  function checkedDraft(actor: RuleActor, id: string, { definition, scope, mode, schedule }: RuleDraft): RuleContent {
    if (definition.type === 'verdict') throw new FireError('FIRE_RULE_FIXED');
    return checked(actor, { definition: { ...definition, id }, scope, mode, schedule, overrides: [] }, null);
  }

  /** Everything of the steps that differs, or nothing; FIRE_PERMISSION_DENIED when any of it lies outside the actor's scope. */
  async function commit(actor: RuleActor, steps: readonly Step[]): Promise<void> {
    const now = clock.now();
    const real = steps.flatMap(({ id, action, after }) => {
      const record = shelf.get(id);
      const before = record ? contentOf(record) : null;
      const becomes = after ?? contentOfShipped(id);
      const changes = differences(before, becomes);
      const broken = record !== undefined && record.problems.length > 0;
      return changes.length > 0 || broken ? [{ id, action, after, record, before, becomes, changes }] : [];
    });
    const writes = real.map(({ id, action, after, record, before, becomes, changes }): RuleWrite => {
      const paths = pathsOfChange(before, becomes, places);
      if (!paths.every((path) => path.startsWith(actor.scope))) throw outside(actor, before, becomes);
      const version = shelf.nextVersion(id);
      const path = commonPath(paths);
      return {
        ...{ id, version, action, document: shelf.document(id, after), whole: becomes },
        first: record?.preset && !shelf.hasHistory(id) ? before : null,
        detail: { version, changes, path },
      };
    });
    await repository.save(writes, actor, now);
    for (const [index, { id, version }] of writes.entries())
      shelf.apply(id, real[index]!.after, { version, at: now, by: actor.id });
    if (writes.length > 0) announceChange();
  }

  /** Who gives a rule of his own too wide a scope is told of one that he may give it. */
  function outside(actor: RuleActor, before: RuleContent | null, becomes: RuleContent | null): FireError {
    const within = (rule: RuleContent) => places.pathOf(rule.scope).startsWith(actor.scope);
    const id = actor.scope.split('/').at(-2) ?? '';
    const place = registry.areas.has(id) ? 'area' : registry.sites.has(id) ? 'site' : null;
    return becomes && place && !within(becomes) && (!before || within(before))
      ? new FireError('FIRE_RULE_OUTSIDE', { place: `${place}: ${id}` })
      : new FireError('FIRE_PERMISSION_DENIED', { permission: 'rule.write' });
  }

  function contentOfShipped(id: string): RuleContent | null {
    const shipped = shelf.shipped.get(id);
    return shipped ? contentOf(shipped) : null;
  }

  function room(actor: RuleActor): Room {
    const own = shelf.all().filter(({ preset }) => !preset);
    return roomFor(
      actor.scope,
      own.map(({ scope }) => places.pathOf(scope)),
    );
  }

  return {
    async start() {
      const { rules, windows: rows } = await repository.load(MaintenanceWindows.since(clock));
      shelf.load(rules);
      windows.load(rows);
      await withheldLog.load();
      for (const { id, problems } of shelf.all())
        if (problems.length > 0) deps.log.warn({ rule: id, problems }, 'a stored rule cannot be used as it is');
    },
    async stop() {
      await yaml.stop();
      await turns.over();
      await withheldLog.stop();
    },

    current: () => ({ rules: shelf.inForce(), maintenance: windows.current() }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    withhold: withheldLog.withhold,
    withheldOver: withheldLog.withheldOver,
    refused: withheldLog.refused,
    replayFrom: withheldLog.replayFrom,
    flush: withheldLog.flush,
    withheld: withheldLog.list,
    withheldCounts: withheldLog.counts,
    withheldNow: withheldLog.now,

    rules: (scope) => shelf.all().flatMap((record) => seen(record, scope) ?? []),
    rule: (id, scope) => seen(shelf.get(id), scope),
    kinds: () => [...kinds.values()].map(({ view }) => view),
    namesElsewhere(level, id, scope) {
      const last = places.lastOf(level, id);
      if (last === undefined || last.startsWith(scope)) return false;
      return shelf.all().some((rule) => [rule, ...rule.overrides].some((one) => one.scope[level] === id));
    },
    draft(actor, draft) {
      const content = checkedDraft(actor, 'draft', draft);
      return { id: 'draft', version: 0, ...content, preset: false };
    },

    create: (actor, draft) =>
      inTurn(async () => {
        const { left, problem } = room(actor);
        if (left === 0) throw invalid([{ path: '', ...problem }]);
        const id = randomUUID();
        await commit(actor, [{ id, action: 'create', after: checkedDraft(actor, id, draft) }]);
        return seen(shelf.get(id), actor.scope)!;
      }),

    change: (actor, id, version, change) =>
      inTurn(async () => {
        const record = find(actor, id, version);
        const raw = { ...contentOf(record), ...change, definition: definitionAfter(record, change) };
        await commit(actor, [{ id, action: 'update', after: checked(actor, raw, contentOf(record)) }]);
        return seen(shelf.get(id), actor.scope)!;
      }),

    remove: (actor, id, version) =>
      inTurn(async () => {
        const { preset } = find(actor, id, version);
        await commit(actor, [{ id, action: preset ? 'revert' : 'delete', after: null }]);
      }),

    putOverride: (actor, id, version, override) =>
      inTurn(async () => {
        const record = find(actor, id, version);
        const place = placeKey(override);
        const before = record.overrides.find((one) => placeKey(one) === place);
        const others = record.overrides.filter((one) => one !== before);
        // Last, so that a problem's path says which one it is.
        const overrides = [...others, { ...override, id: before?.id ?? randomUUID() }];
        const after = checked(actor, { ...contentOf(record), overrides }, contentOf(record));
        const tooMany = tooManyOverrides(contentOf(record), after, actor.scope, places);
        if (tooMany) throw invalid([tooMany]);
        await commit(actor, [{ id, action: 'override', after }]);
        return seen(shelf.get(id), actor.scope)!;
      }),

    removeOverride: (actor, id, version, override) =>
      inTurn(async () => {
        const record = find(actor, id, version);
        if (!seen(record, actor.scope)!.overrides.some((one) => one.id === override))
          throw new FireError('FIRE_NOT_FOUND', { what: new Words(`局部设置 ${override}`, `Override ${override}`) });
        const after = { ...contentOf(record), overrides: record.overrides.filter((one) => one.id !== override) };
        await commit(actor, [{ id, action: 'override-remove', after }]);
        return seen(shelf.get(id), actor.scope)!;
      }),

    async versions(id, { scope, before, limit }) {
      const rows = await repository.versions(id, { before, limit: limit + 1 });
      const visible = rows.map((row) => ({
        ...row,
        // When it was for another place, it was none of theirs.
        rule: row.rule && places.concern(row.rule.scope, scope) ? within(row.rule, scope) : null,
      }));
      return visible.slice(0, limit).map((row, index) => {
        const older = visible[index + 1];
        return { ...row, changes: older ? differences(older.rule, row.rule) : [] };
      });
    },

    exportYaml: (scope) =>
      writeRules(
        shelf.all().flatMap((record) => seen(record, scope) ?? []),
        kinds,
      ),

    async importYaml(actor, text, { dryRun }) {
      const read = await yaml.read(text);
      return inTurn(async () => {
        const { plan, steps } = await planImport(read, {
          ...{ actor, shelf, places, room: room(actor) },
          checkDeps: { ...checkDeps, seenFrom: actor.scope },
        });
        if (!dryRun && plan.errors.length === 0) await commit(actor, steps);
        return plan;
      });
    },

    maintenance: (scope) => windows.list().filter((window) => places.concern(window.scope, scope)),
    announce: (actor, window) =>
      inTurn(async () => {
        const record = await windows.announce(actor, window);
        announceChange();
        return record;
      }),
    endMaintenance: (actor, id) =>
      inTurn(async () => {
        await windows.end(actor, id);
        announceChange();
      }),
  };
}

/** With `type` the given definition is the whole one, without it only what it names changes. */
function definitionAfter(record: RuleRecord, { definition }: RuleChange): Record<string, unknown> {
  if (!definition) return record.definition;
  const { id } = record.definition;
  if (record.shipped) {
    const base = definition.type === undefined ? record.definition : record.shipped.definition;
    const { problems, definition: after } = presetDefinition(record.shipped.definition, base, definition);
    if (problems.length > 0) throw invalid(problems);
    return after;
  }
  return definition.type === undefined ? { ...record.definition, ...definition, id } : { ...definition, id };
}

function notFound(id: string): FireError {
  return new FireError('FIRE_NOT_FOUND', { what: new Words(`规则 ${id}`, `Rule ${id}`) });
}

/** What all the paths lie below: a neighbour who is not concerned by all of it shall not read of it. */
function commonPath([first = '/', ...others]: readonly string[]): string {
  let common = first;
  while (!others.every((path) => path.startsWith(common))) common = common.replace(/[^/]*\/$/, '');
  return common;
}
