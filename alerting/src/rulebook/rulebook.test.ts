import { FireError, type RuleDraft } from '@smart-fire/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RuleHouse } from '../testing/rule-house.ts';

const LOW = 'preset:pump:low';
const lead = { id: 'lead', scope: '/' };
const townLead = { id: 'town-lead', scope: '/c/t1/' };
const draft: RuleDraft = {
  definition: {
    ...{ type: 'threshold', class: 'early-warning', zh: '自建', en: 'Own' },
    ...{ metric: 'pressure', direction: 'below', limit: 120, hysteresis: 5, forMs: 1000 },
  },
  scope: { site: 's1' },
  mode: 'on',
  schedule: null,
};

let house: RuleHouse;
beforeEach(async () => {
  house = await new RuleHouse().open();
});
afterEach(() => house.close());

const rule = (id: string, scope = '/') => house.book.rule(id, scope)!;
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'done',
    (error: unknown) => (error instanceof FireError ? error.code : String(error)),
  );
const auditRows = async () =>
  (
    await house.state.db.selectFrom('audit').select(['actor', 'action', 'subject', 'detail']).orderBy('no').execute()
  ).map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }));

describe('presets', () => {
  it('are there as shipped, version 1, untouched', () => {
    expect(rule(LOW)).toMatchObject({ version: 1, preset: true, edited: false, mode: 'on', changedBy: null });
    expect(house.book.current().rules.map(({ id }) => id)).toContain(LOW);
  });

  it('take an edit that survives a restart, with what we ship beside it, and can go back', async () => {
    await house.book.change(lead, LOW, 1, { definition: { limit: 90 }, mode: 'shadow' });
    await house.restart();
    expect(rule(LOW)).toMatchObject({ version: 2, edited: true, mode: 'shadow', changedBy: 'lead' });
    expect([rule(LOW).definition.limit, rule(LOW).shipped?.definition.limit]).toEqual([90, 100]);
    await house.book.remove(lead, LOW, 2);
    await house.restart();
    expect(rule(LOW)).toMatchObject({ version: 3, edited: false, mode: 'on' });
    expect(rule(LOW).definition.limit).toBe(100);
  });

  it('keep the edit, and follow the rest, when another version of the program ships other numbers', async () => {
    await house.book.change(lead, LOW, 1, { definition: { limit: 90 } });
    house.kinds = structuredClone(house.kinds.map(({ simulate: _, ...kind }) => kind)).map((kind) => ({
      ...kind,
      simulate: () => ({ sample: () => ({}), event: () => null }),
    }));
    Object.assign(house.kinds[0]!.rules[0]!, { limit: 80, forMs: 9000 });
    await house.restart();
    expect(rule(LOW).definition).toMatchObject({ limit: 90, forMs: 9000 });
    expect(rule(LOW).shipped?.definition).toMatchObject({ limit: 80, forMs: 9000 });
  });

  it('are in force as shipped, and say so, when what is stored no longer fits', async () => {
    await house.book.change(lead, LOW, 1, { definition: { limit: 90 } });
    const document = JSON.stringify({ format: 1, changes: { limitt: 5 } });
    await house.state.db.updateTable('rule').set({ document }).where('id', '=', LOW).execute();
    await house.restart();
    expect(rule(LOW).problems).toMatchObject([{ path: 'limitt' }]);
    expect(house.book.current().rules.find(({ id }) => id === LOW)?.definition.limit).toBe(100);
    await house.book.remove(lead, LOW, undefined);
    expect(rule(LOW)).toMatchObject({ problems: [], edited: false });
  });

  it('stay what they are: class, name and source belong to us', async () => {
    expect(await code(house.book.change(lead, LOW, 1, { definition: { class: 'fault' } }))).toBe('FIRE_RULE_INVALID');
    const whole = rule(LOW).definition;
    await house.book.change(lead, LOW, 1, { definition: { ...whole, limit: 70 } });
    expect(rule(LOW).definition.limit).toBe(70);
  });
});

describe("rules of one's own", () => {
  it('are made, changed, listed with their history, and deleted', async () => {
    const { id } = await house.book.create(lead, draft);
    await house.book.change(lead, id, 1, { definition: { limit: 130 }, scope: { area: 't1' } });
    await house.restart();
    expect(rule(id)).toMatchObject({ version: 2, preset: false, edited: true, shipped: null, scope: { area: 't1' } });
    const versions = await house.book.versions(id, { scope: '/', before: 99, limit: 10 });
    expect(versions.map(({ version, actor, action }) => [version, actor, action])).toEqual([
      [2, 'lead', 'update'],
      [1, 'lead', 'create'],
    ]);
    expect(versions[0]!.changes).toEqual([
      { field: 'limit', from: 120, to: 130 },
      { field: 'scope', from: { site: 's1' }, to: { area: 't1' } },
    ]);
    await house.book.remove(lead, id, 2);
    expect(rule(id)).toBeUndefined();
    await house.restart();
    expect(rule(id)).toBeUndefined();
    expect((await auditRows()).map(({ action, subject }) => [action, subject])).toEqual(
      ['create', 'update', 'delete'].map((verb) => [`rule.${verb}`, `rule:${id}`]),
    );
  });

  it('are refused with every problem at once: which parameter, its bounds and its unit', async () => {
    const definition = { ...draft.definition, limit: 'x', hysteresis: -1, forMss: 1, metric: 'presure' };
    const error = await house.book.create(lead, { ...draft, definition }).catch((reason: unknown) => reason);
    const { fields, problems } = (error as FireError).params as { fields: { path: string }[]; problems: unknown };
    expect(fields.map(({ path }) => path).sort()).toEqual(['forMss', 'hysteresis', 'limit']);
    expect(String(problems)).toContain('≥ 0');
    const metric = { ...draft.definition, metric: 'presure' };
    expect(await code(house.book.create(lead, { ...draft, definition: metric }))).toBe('FIRE_RULE_INVALID');
    expect(await code(house.book.create(lead, { ...draft, scope: { site: 's1', area: 't2' } }))).toBe(
      'FIRE_RULE_INVALID',
    );
    expect(await code(house.book.create(lead, { ...draft, definition: { type: 'verdict' } }))).toBe('FIRE_RULE_FIXED');
    expect(await auditRows()).toEqual([]);
  });

  it('of class fire take no schedule: a fire is never withheld', async () => {
    const schedule = { windows: [{ days: [1, 2], from: '22:00', to: '06:00' }] };
    const fire = { ...draft, definition: { ...draft.definition, class: 'fire' }, schedule };
    expect(await code(house.book.create(lead, fire))).toBe('FIRE_RULE_INVALID');
    expect(await code(house.book.create(lead, { ...draft, schedule }))).toBe('done');
  });

  it('that this program does not know are kept out of force and shown with the reason', async () => {
    const { id } = await house.book.create(lead, draft);
    const row = await house.state.db.selectFrom('rule').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const document = row.document!.replace('"threshold"', '"oracle"');
    await house.state.db.updateTable('rule').set({ document }).where('id', '=', id).execute();
    await house.restart();
    expect(rule(id).problems).not.toEqual([]);
    expect(house.book.current().rules.some((one) => one.id === id)).toBe(false);
  });
});

describe('two people at once', () => {
  it('do not overwrite each other: the second is told the version that is in force', async () => {
    const results = await Promise.allSettled([
      house.book.change(lead, LOW, 1, { definition: { limit: 90 } }),
      house.book.change(lead, LOW, 1, { definition: { limit: 95 } }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const { reason } = results[1] as PromiseRejectedResult;
    expect([(reason as FireError).code, (reason as FireError).params.version]).toEqual(['FIRE_RULE_CHANGED', 2]);
    expect(rule(LOW).definition.limit).toBe(90);
  });

  it('find a version number taken also after the rule went back to what we ship', async () => {
    await house.book.change(lead, LOW, 1, { mode: 'off' });
    await house.book.remove(lead, LOW, 2);
    expect(await code(house.book.change(lead, LOW, 1, { mode: 'off' }))).toBe('FIRE_RULE_CHANGED');
  });
});

describe('overrides', () => {
  it('are for one place in the scope of the rule, one per place, and replaced there', async () => {
    await house.book.putOverride(lead, LOW, 1, { scope: { device: 'p1' }, changes: { limit: 80 } });
    await house.book.putOverride(lead, LOW, 2, { scope: { area: 't1' }, changes: { limit: 85, mode: 'shadow' } });
    await house.book.putOverride(lead, LOW, 3, { scope: { device: 'p1' }, changes: { limit: 81 } });
    await house.restart();
    expect(rule(LOW).overrides.map(({ scope, changes }) => [scope, changes])).toEqual([
      [{ area: 't1' }, { limit: 85, mode: 'shadow' }],
      [{ device: 'p1' }, { limit: 81 }],
    ]);
    const put = (override: { scope: object; changes: object }) =>
      code(house.book.putOverride(lead, LOW, 4, override as never));
    for (const wrong of [
      { scope: {}, changes: { limit: 1 } },
      { scope: { site: 's1', zone: 'z1' }, changes: { limit: 1 } },
      { scope: { site: 's1' }, changes: {} },
      { scope: { site: 's1' }, changes: { class: 'fault' } },
      { scope: { site: 's1' }, changes: { hysteresis: -1 } },
      { scope: { site: 's1' }, changes: { mode: 'loud' } },
      { scope: { site: 'nowhere' }, changes: { limit: 1 } },
    ])
      expect([wrong, await put(wrong)]).toEqual([wrong, 'FIRE_RULE_INVALID']);
    const { id } = rule(LOW).overrides[0]!;
    await house.book.removeOverride(lead, LOW, 4, id);
    expect(rule(LOW).overrides).toHaveLength(1);
    expect(await code(house.book.removeOverride(lead, LOW, 5, id))).toBe('FIRE_NOT_FOUND');
  });

  it('of one device in a zone are refused where a zone is judged as a whole', async () => {
    const [zoneRule] = house.book.rules('/').filter(({ id }) => id === 'preset:fire-fusion');
    const put = (scope: object) =>
      code(house.book.putOverride(lead, zoneRule!.id, zoneRule!.version, { scope, changes: { mode: 'shadow' } }));
    expect(await put({ device: 'p1' })).toBe('FIRE_RULE_INVALID');
    expect(await put({ zone: 'z1' })).toBe('done');
  });

  it('outside the scope of the rule are refused, also when the rule is made narrower', async () => {
    const { id } = await house.book.create(lead, { ...draft, scope: { area: 'c' } });
    await house.book.putOverride(lead, id, 1, { scope: { site: 's2' }, changes: { limit: 1 } });
    expect(await code(house.book.change(lead, id, 2, { scope: { area: 't1' } }))).toBe('FIRE_RULE_INVALID');
  });

  it('of a place that is no more do not stand in the way', async () => {
    await house.book.putOverride(lead, LOW, 1, { scope: { device: 'p2' }, changes: { limit: 80 } });
    house.registry.remove({ entity: 'device', id: 'p2' });
    await house.restart();
    expect(rule(LOW).problems).toEqual([]);
    await house.book.change(lead, LOW, 2, { mode: 'shadow' });
    expect(rule(LOW).overrides).toHaveLength(1);
  });
});

describe('a duty lead of one town', () => {
  it('cannot change a rule for the whole county, but can add and remove an override in the town', async () => {
    expect(await code(house.book.change(townLead, LOW, 1, { mode: 'off' }))).toBe('FIRE_PERMISSION_DENIED');
    expect(await code(house.book.remove(townLead, LOW, 1))).toBe('done');
    expect(rule(LOW).version).toBe(1);
    const { overrides } = await house.book.putOverride(townLead, LOW, 1, {
      scope: { site: 's1' },
      changes: { limit: 80 },
    });
    await house.book.removeOverride(townLead, LOW, 2, overrides[0]!.id);
    const wider = { scope: { area: 'c' }, changes: { limit: 80 } };
    expect(await code(house.book.putOverride(townLead, LOW, 3, wider))).toBe('FIRE_PERMISSION_DENIED');
    expect((await auditRows()).map(({ detail }) => detail.path)).toEqual(['/c/t1/s1/', '/c/t1/s1/']);
  });

  it('sees nothing of the next town: no rule, no override, no place', async () => {
    const { id } = await house.book.create(lead, { ...draft, scope: { site: 's2' } });
    await house.book.putOverride(lead, LOW, 1, { scope: { site: 's2' }, changes: { limit: 80 } });
    expect(rule(id, townLead.scope)).toBeUndefined();
    expect(rule(LOW, townLead.scope).overrides).toEqual([]);
    expect(await code(house.book.change(townLead, id, 1, { mode: 'off' }))).toBe('FIRE_NOT_FOUND');
    const hidden = rule(LOW).overrides[0]!.id;
    expect(await code(house.book.removeOverride(townLead, LOW, 2, hidden))).toBe('FIRE_NOT_FOUND');
    const problems = async (site: string) =>
      house.book.create(townLead, { ...draft, scope: { site } }).catch((error: unknown) => String(error));
    expect(String(await problems('s2')).replace('s2', 'sx')).toBe(String(await problems('sx')));
    expect(house.book.exportYaml(townLead.scope)).not.toContain('s2');
    const [version] = await house.book.versions(LOW, { scope: townLead.scope, before: 99, limit: 1 });
    expect(version).toMatchObject({ changes: [], rule: { overrides: [] } });
  });

  it('cannot use up the rules that the others may have', async () => {
    for (let count = 0; count < 200; count++) await house.book.create(townLead, draft);
    const told = await house.book.create(townLead, draft).catch((error: unknown) => String(error));
    expect(told).toContain('200 of at most 200 in your area');
    const { id: _, ...fields } = { ...draft.definition, id: '' };
    const text = JSON.stringify([{ id: 'one-more', ...fields, scope: draft.scope }]);
    const plan = await house.book.importYaml(townLead, text, { dryRun: true });
    expect(plan.errors).toMatchObject([{ line: 1, en: expect.stringContaining('in your area') }]);
    await house.book.create({ id: 'other', scope: '/c/t2/' }, { ...draft, scope: { site: 's2' } });
    await house.book.create(lead, { ...draft, scope: {} });
  });

  it('gets nothing by an id that was a place of the next town', async () => {
    await house.book.putOverride(lead, LOW, 1, { scope: { site: 's2' }, changes: { mode: 'off' } });
    const names = (scope: string) => house.book.namesElsewhere('site', 's2', scope);
    expect(names(townLead.scope)).toBe(false);
    house.registry.remove({ entity: 'site', id: 's2' });
    expect([townLead.scope, '/c/t2/', '/'].map(names)).toEqual([true, false, false]);
    await house.book.remove(lead, LOW, undefined);
    expect(names(townLead.scope)).toBe(false);
  });

  it('sees nothing of what a rule was while it was for the next town', async () => {
    const { id } = await house.book.create(lead, { ...draft, scope: { site: 's2' } });
    await house.book.change(lead, id, 1, { scope: { site: 's1' } });
    const seen = await house.book.versions(id, { scope: townLead.scope, before: 99, limit: 9 });
    expect(seen.map((one) => one.rule?.scope)).toEqual([{ site: 's1' }, undefined]);
    expect(JSON.stringify(seen)).not.toContain('s2');
    const all = await house.book.versions(id, { scope: '/', before: 99, limit: 9 });
    expect(all.map((one) => one.rule?.scope)).toEqual([{ site: 's1' }, { site: 's2' }]);
  });

  it('cannot use up the overrides that the others may have', async () => {
    const pump = house.registry.devices.get('p1')!;
    const devices = Array.from({ length: 102 }, (_, i) => `p1-${i}`);
    for (const id of devices) house.registry.putDevice({ ...pump, id });
    const override = (device: string) => ({ scope: { device }, changes: { limit: 80 } });
    const plan = (count: number, dryRun: boolean) => {
      const text = JSON.stringify([{ id: LOW, overrides: devices.slice(0, count).map(override) }]);
      return house.book.importYaml(townLead, text, { dryRun });
    };
    expect((await plan(101, true)).errors).toMatchObject([{ en: expect.stringContaining('100 in your area') }]);
    await plan(100, false);
    const { version } = rule(LOW);
    const told = (actor: typeof lead, device: string) =>
      house.book.putOverride(actor, LOW, version, override(device)).catch((error: unknown) => String(error));
    expect(await told(townLead, 'p1-101')).toContain('100 of at most 100 in your area');
    // What is there already may be changed.
    const changed = { ...override('p1-0'), changes: { limit: 70 } };
    await house.book.putOverride(townLead, LOW, version, changed);
    const other = { id: 'other', scope: '/c/t2/' };
    await house.book.putOverride(other, LOW, version + 1, { scope: { site: 's2' }, changes: { limit: 80 } });
  });

  it('makes rules for the town only, and cannot move one out of it', async () => {
    expect(await code(house.book.create(townLead, { ...draft, scope: {} }))).toBe('FIRE_RULE_OUTSIDE');
    const told = await house.book.create(townLead, { ...draft, scope: {} }).catch((error: unknown) => String(error));
    expect(told).toContain('such as area: t1');
    const { id } = await house.book.create(townLead, draft);
    expect(await code(house.book.change(townLead, id, 1, { scope: {} }))).toBe('FIRE_RULE_OUTSIDE');
  });
});

describe('the state store away', () => {
  it('changes nothing in memory, and tells nobody', async () => {
    const before = house.book.current().rules;
    house.state.transaction = async () => {
      throw new FireError('FIRE_STATE_UNAVAILABLE');
    };
    expect(await code(house.book.change(lead, LOW, 1, { mode: 'off' }))).toBe('FIRE_STATE_UNAVAILABLE');
    expect(await code(house.book.create(lead, draft))).toBe('FIRE_STATE_UNAVAILABLE');
    expect(house.book.current().rules).toBe(before);
    expect(house.changes).toBe(0);
  });
});

it('leaves rules that did not change the same objects, so that the engine keeps their state', async () => {
  const before = house.book.current().rules;
  await house.book.change(lead, LOW, 1, { mode: 'shadow' });
  const after = house.book.current().rules;
  expect(house.changes).toBe(1);
  expect(after.filter((one, index) => one !== before[index]).map(({ id }) => id)).toEqual([LOW]);
});

describe('places that change', () => {
  it('put no rule out of force: a device that has moved takes its override along', async () => {
    const { id } = await house.book.create(lead, draft);
    await house.book.putOverride(lead, id, 1, { scope: { device: 'p1' }, changes: { limit: 60 } });
    house.registry.putDevice({ ...house.registry.devices.get('p1')!, site: 's2', zone: null });
    await house.restart();
    expect(rule(id).problems).toEqual([]);
    expect(house.book.current().rules.map((one) => one.id)).toContain(id);
    // But nobody can put a new one outside.
    const outside = house.book.putOverride(lead, id, 2, { scope: { device: 'p2' }, changes: { limit: 60 } });
    expect(await code(outside)).toBe('FIRE_RULE_INVALID');
  });

  it('show nobody else what belonged to one that is gone', async () => {
    const other = { id: 'other', scope: '/c/t2/' };
    const { id } = await house.book.create(other, { ...draft, scope: { device: 'p2' } });
    await house.book.putOverride(other, LOW, 1, { scope: { device: 'p2' }, changes: { limit: 60 } });
    const now = house.clock.now();
    await house.book.announce(other, { scope: { device: 'p2' }, from: now, to: now + 60_000, reason: 'pump' });
    house.registry.remove({ entity: 'device', id: 'p2' });
    expect(house.book.rule(id, '/c/t1/')).toBeUndefined();
    expect(rule(LOW, '/c/t1/').overrides).toEqual([]);
    expect(house.book.maintenance('/c/t1/')).toEqual([]);
    expect([rule(id).id, rule(LOW).overrides.length, house.book.maintenance('/').length]).toEqual([id, 1, 1]);
  });

  it.each(['at once', 'after a restart'])('leave what was for them to those who held them, %s', async (when) => {
    const other = { id: 'other', scope: '/c/t2/' };
    const successor = { id: 'successor', scope: '/c/t2/' };
    const { id } = await house.book.create(other, { ...draft, scope: { device: 'p2' } });
    const { version } = await house.book.putOverride(other, LOW, 1, {
      scope: { device: 'p2' },
      changes: { limit: 60 },
    });
    house.registry.remove({ entity: 'device', id: 'p2' });
    if (when === 'after a restart') await house.restart();
    expect(await code(house.book.remove(townLead, id, 1))).toBe('FIRE_NOT_FOUND');
    expect(house.book.rules('/c/t2/').map((one) => one.id)).toContain(id);
    await house.book.change(successor, id, 1, { mode: 'off' });
    await house.restart();
    await house.book.remove(successor, id, 2);
    await house.book.removeOverride(successor, LOW, version, rule(LOW).overrides[0]!.id);
    expect([rule(id), rule(LOW).overrides]).toEqual([undefined, []]);
    expect((await auditRows()).at(-1)!.detail.path).toBe('/c/t2/s2/');
  });

  it('let a rule be given another place when its own is gone', async () => {
    const { id } = await house.book.create(townLead, { ...draft, scope: { zone: 'z1' } });
    house.registry.remove({ entity: 'zone', id: 'z1' });
    await house.restart();
    await house.book.change(townLead, id, 1, { scope: { site: 's1' } });
    expect(rule(id).scope).toEqual({ site: 's1' });
  });

  it('are audited where all of them lie, not at one of them', async () => {
    await house.book.putOverride(lead, LOW, 1, { scope: { site: 's1' }, changes: { limit: 60 } });
    const yaml = house.book.exportYaml('/').replace(/scope: \{ site: s1 \}/, 'scope: { site: s2 }');
    expect(await house.book.importYaml(lead, yaml, { dryRun: false })).toMatchObject({ changed: [LOW], errors: [] });
    expect((await auditRows()).at(-1)!.detail.path).toBe('/c/');
  });
});

it('shows a stored rule that this program cannot read as switched off, and lets it be deleted', async () => {
  const { id } = await house.book.create(lead, draft);
  const unreadable = { definition: { type: 'future', zh: 1 }, scope: { planet: 'x' }, mode: 'perhaps', schedule: null };
  const document = JSON.stringify({ format: 1, ...unreadable, overrides: [{ changes: {} }] });
  await house.state.db.updateTable('rule').set({ document }).where('id', '=', id).execute();
  await house.restart();
  expect(rule(id)).toMatchObject({ mode: 'off', scope: {}, overrides: [], definition: { zh: id, en: id } });
  expect(rule(id).problems.length).toBeGreaterThan(0);
  expect(house.book.current().rules.map((one) => one.id)).not.toContain(id);
  await house.book.remove(lead, id, undefined);
  expect(rule(id)).toBeUndefined();
});
