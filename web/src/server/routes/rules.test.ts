import { FireError } from '@smart-fire/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anAlarm } from '../../testing/fake-book.ts';
import { createTestApp, type TestApp } from '../../testing/test-web.ts';

let web: TestApp;
let lead: Record<string, string>;
let townLead: Record<string, string>;
let operator: Record<string, string>;

const source = { zh: '标准', en: 'Standard' };
const LOW = 'preset:smoke-detector:high';
const definition = {
  ...{ id: 'high', type: 'threshold', class: 'early-warning' as const, zh: '高', en: 'High', source },
  ...{ metric: 'smoke_density', direction: 'above', limit: 0.3, hysteresis: 0.1, forMs: 0 },
};
const draft = { definition: { ...definition, zh: '自建' }, scope: { site: 's1' }, mode: 'shadow' };

beforeAll(async () => {
  web = await createTestApp();
  lead = await web.login('duty-lead');
  townLead = await web.login('duty-lead', '/c/t1/');
  operator = await web.login('operator');
});
beforeEach(() => {
  web.ruleBook.all.clear();
  web.ruleBook.windows.clear();
  web.ruleBook.put({ id: LOW, definition, scope: { kinds: ['smoke-detector'] } });
});
afterAll(() => web.stop());

describe('rules', () => {
  it('are made, changed as of the version that was seen, overridden and deleted', async () => {
    const made = await web.ask('POST', 'rules', lead, draft);
    expect([made.status, made.body.version, made.body.mode, made.body.preset]).toEqual([201, 1, 'shadow', false]);
    const url = `rules/${made.body.id}`;
    const changed = await web.ask('PATCH', url, lead, { version: 1, mode: 'on', definition: { limit: 0.5 } });
    expect(changed.body).toMatchObject({ version: 2, mode: 'on', definition: { limit: 0.5, metric: 'smoke_density' } });
    expect(changed.body.changedByName).toBe('某duty-lead');
    const late = await web.ask('PATCH', url, lead, { version: 1, mode: 'off' });
    expect(late.body).toMatchObject({ status: 409, code: 'FIRE_RULE_CHANGED', params: { version: 2 } });
    const override = { version: 2, scope: { device: 'd1' }, changes: { limit: 0.6 } };
    expect((await web.ask('POST', `${url}/overrides`, lead, override)).status).toBe(201);
    const gone = await web.ask('DELETE', `${url}/overrides/o?version=3`, lead);
    expect(gone.body).toMatchObject({ version: 4, overrides: [] });
    expect((await web.ask('DELETE', `${url}/overrides/o`, lead)).status).toBe(400);
    expect((await web.ask('DELETE', `${url}?version=3`, lead)).status).toBe(409);
    expect((await web.ask('DELETE', url, lead)).status).toBe(204);
    expect((await web.ask('GET', url, lead)).status).toBe(404);
  });

  it('show what they raised and withheld within the caller’s scope, and what went wrong', async () => {
    const alarm = anAlarm({ raisedAt: web.clock.now() - 1000 });
    const row = {
      ...{
        id: alarm.id,
        cause: alarm.cause,
        class: 'early-warning',
        level: null,
        state: 'closed',
        point: '',
        zone: null,
      },
      ...{
        rule: LOW,
        event: null,
        raised_at: alarm.raisedAt,
        received_at: 1,
        repeated_at: 1,
        cleared_at: null,
        count: 1,
      },
      ...{ acknowledged_by: null, acknowledged_at: null, acknowledge_reason: null, verdict: null, verified_by: null },
      ...{ verified_at: null, closed_by: null, closed_at: null, opened_no: 1, explanation: '{}', version: 1 },
    };
    await web.state.db
      .insertInto('alarm')
      .values([
        { ...row, device: 'd1', site: 's1' },
        { ...row, id: 'b', cause: 'b', device: 'd3', site: 's2' },
        { ...row, id: 'c', cause: 'c', device: 'd3', site: 's2', raised_at: web.clock.now() - 40 * 86_400_000 },
      ])
      .execute();
    web.liveRules.figures = () => new Map([[LOW, { errors: 3, lastError: 'odd' }]]);
    expect((await web.ask('GET', `rules/${LOW}`, lead)).body).toMatchObject({ raised: 2, errors: 3, lastError: 'odd' });
    const [mine] = (await web.ask('GET', 'rules', townLead)).body.items;
    expect(mine).toMatchObject({ id: LOW, kind: 'smoke-detector', raised: 1, edited: false, changedAt: null });
  });

  it('of another town are neither seen nor changed; those of the whole county only overridden', async () => {
    web.ruleBook.put({ id: 'theirs', definition, scope: { site: 's2' }, preset: false });
    const ids = (await web.ask('GET', 'rules', townLead)).body.items.map(({ id }: { id: string }) => id);
    expect(ids).toEqual([LOW]);
    for (const url of ['rules/theirs', 'rules/theirs/versions', 'rules/theirs/shadow'])
      expect([url, (await web.ask('GET', url, townLead)).status]).toEqual([url, 404]);
    expect((await web.ask('PATCH', 'rules/theirs', townLead, { version: 1, mode: 'off' })).status).toBe(404);
    const patched = await web.ask('PATCH', `rules/${LOW}`, townLead, { version: 1, mode: 'off' });
    expect(patched.body).toMatchObject({ status: 403, code: 'FIRE_PERMISSION_DENIED' });
    const override = { version: 1, scope: { site: 's1' }, changes: { limit: 1 } };
    expect((await web.ask('POST', `rules/${LOW}/overrides`, townLead, override)).status).toBe(201);
    const theirs = { version: 2, scope: { site: 's2' }, changes: { limit: 1 } };
    expect((await web.ask('POST', `rules/${LOW}/overrides`, townLead, theirs)).status).toBe(403);
  });

  it('are read and not written by an operator', async () => {
    expect((await web.ask('GET', 'rules', operator)).status).toBe(200);
    expect((await web.ask('GET', 'rule-kinds', operator)).body.items[0].schema.properties.limit.zh).toBe('限值');
    for (const [method, url] of [
      ['POST', 'rules'],
      ['PATCH', `rules/${LOW}`],
      ['DELETE', `rules/${LOW}`],
      ['POST', 'rules/import'],
      ['POST', 'maintenance'],
      ['POST', `devices/d1/rules/${LOW}/reset`],
    ] as const)
      expect([url, (await web.ask(method, url, operator, {})).body.code]).toEqual([url, 'FIRE_PERMISSION_DENIED']);
  });

  it('tell a form which field is wrong, in the language asked for', async () => {
    const { create } = web.ruleBook;
    web.ruleBook.create = async () => {
      const fields = [{ path: 'limit', zh: '须为数字(限值,kPa)', en: 'must be a number (Limit, kPa)' }];
      throw new FireError('FIRE_RULE_INVALID', { problems: 'x', fields });
    };
    const english = await web.ask('POST', 'rules', lead, draft);
    const chinese = await web.ask('POST', 'rules', { ...lead, 'accept-language': 'zh' }, draft);
    web.ruleBook.create = create;
    expect(english.body.problems).toEqual([{ path: 'limit', message: 'must be a number (Limit, kPa)' }]);
    expect(chinese.body.problems).toEqual([{ path: 'limit', message: '须为数字(限值,kPa)' }]);
    expect((await web.ask('POST', 'rules', lead, { ...draft, mode: 'loud' })).body.problems[0].path).toBe('mode');
    expect((await web.ask('POST', 'rules', lead, { ...draft, scope: { city: 'c' } })).status).toBe(400);
  });
});

describe('rules as YAML', () => {
  const yaml = { 'content-type': 'application/yaml' };
  const load = (url: string, payload: string, headers = lead) =>
    web.app.inject({ method: 'POST', url: `/api/v1/rules/import${url}`, headers: { ...headers, ...yaml }, payload });

  it('are exported as far as the caller sees', async () => {
    const { text, headers } = await web.ask('GET', 'rules.yaml', townLead);
    expect(headers['content-type']).toMatch('application/yaml');
    expect(text).toBe('# /c/t1/\nrules: []\n');
  });

  it('are imported, tried, and refused with lines', async () => {
    expect((await load('', 'good')).json()).toMatchObject({ created: ['new'], errors: [] });
    expect((await load('?dryRun=true', 'bad')).json()).toMatchObject({ errors: [{ line: 2, path: 'limit' }] });
    expect(web.ruleBook.imported.map(({ dryRun }) => dryRun)).toEqual([false, true]);
    const refused = await load('', 'bad');
    expect([refused.statusCode, refused.json().code]).toEqual([400, 'FIRE_RULE_INVALID']);
    expect(refused.json().problems).toEqual([{ path: 'limit', message: 'line 2: not valid' }]);
    const chinese = (await load('', 'bad', { ...lead, 'accept-language': 'zh' })).json();
    expect(chinese.problems).toEqual([{ path: 'limit', message: '第 2 行:无效' }]);
    expect(chinese.detail).toMatch(/第 2 行,limit:无效$/);
    expect(refused.json().detail).toMatch(/line 2, limit: not valid$/);
    const large = await load('', 'x'.repeat(1024 * 1024 + 1));
    expect(large.json()).toMatchObject({ code: 'FIRE_PAYLOAD_TOO_LARGE', params: { max: 1024 * 1024 } });
    const json = await web.ask('POST', 'rules/import', lead, { rules: [] });
    expect(json.status).toBe(400);
  });
});

describe('the rules of a device', () => {
  it('come resolved, with where each changed parameter comes from', async () => {
    const overrides = [
      { id: 'a', scope: { area: 't1' }, changes: { limit: 0.4, mode: 'shadow' as const } },
      { id: 'b', scope: { device: 'd1' }, changes: { limit: 0.5 } },
    ];
    web.ruleBook.put({ id: LOW, definition, scope: { kinds: ['smoke-detector'] }, overrides });
    const { items } = (await web.ask('GET', 'devices/d1/rules', operator)).body;
    expect(items).toMatchObject([
      { rule: LOW, mode: 'shadow', definition: { limit: 0.5 }, from: { limit: 'device', mode: 'area' } },
    ]);
    expect((await web.ask('GET', 'devices/d3/rules', operator)).body.items[0]).toMatchObject({ from: {}, mode: 'on' });
    expect((await web.ask('GET', 'devices/d2/rules', operator)).body.items).toEqual([]);
    expect((await web.ask('GET', 'devices/d3/rules', townLead)).status).toBe(404);
  });

  it('show what they learned and forget it, on record', async () => {
    const band = { point: '', metric: 'smoke_density', centre: 1, low: 0, high: 2 };
    const forgotten: string[] = [];
    web.liveRules.learned = () => [band];
    web.liveRules.reset = (rule, device) => void forgotten.push(`${rule} ${device}`);
    const url = `devices/d1/rules/${LOW}`;
    expect((await web.ask('GET', `${url}/learned`, operator)).body).toEqual({ items: [band] });
    expect((await web.ask('POST', `${url}/reset`, lead)).status).toBe(204);
    expect(forgotten).toEqual([`${LOW} d1`]);
    const [entry] = (await web.ask('GET', 'audit?action=rule.reset', townLead)).body.items;
    expect(entry).toMatchObject({ subject: `rule:${LOW}`, detail: { device: 'd1' } });
    expect((await web.ask('GET', `devices/d2/rules/${LOW}/learned`, operator)).status).toBe(404);
    expect((await web.ask('POST', `devices/d3/rules/${LOW}/reset`, townLead)).status).toBe(404);
  });
});

describe('maintenance', () => {
  const window = () => ({ scope: { site: 's1' }, from: web.clock.now(), to: web.clock.now() + 1000, reason: '检修' });

  it('is announced, listed with what it withheld, and ended', async () => {
    const made = await web.ask('POST', 'maintenance', lead, window());
    expect(made.body).toMatchObject({ reason: '检修', byName: '某duty-lead', endedBy: null });
    const { id } = made.body;
    web.ruleBook.raises.push({
      ...{ id: 'r', cause: 'c', why: 'maintenance', rule: LOW, maintenance: id, class: 'supervisory', level: null },
      ...{ device: 'd1', point: '', site: 's1', zone: null, raisedAt: 5, overAt: null, count: 2 },
      explanation: { zh: '低', en: 'low' },
    });
    expect((await web.ask('GET', 'maintenance?limit=1', operator)).body).toMatchObject({
      items: [{ id, withheld: 3 }],
      next: null,
    });
    const withheld = (await web.ask('GET', `maintenance/${id}/withheld`, operator)).body.items;
    expect(withheld).toMatchObject([{ deviceName: 'd1', siteName: '一厂', count: 2 }]);
    expect((await web.ask('GET', `rules/${LOW}/shadow?why=maintenance`, operator)).body.items).toHaveLength(1);
    expect((await web.ask('GET', `rules/${LOW}`, operator)).body).toMatchObject({ shadowRaised: 1, withheld: 2 });
    expect((await web.ask('DELETE', `maintenance/${id}`, lead)).status).toBe(204);
    expect((await web.ask('GET', `maintenance/${id}`, lead)).status).toBe(404);
  });

  it('asks for a reason and an end', async () => {
    for (const wrong of [{ reason: ' ' }, { to: undefined }, { to: 1.5 }, { scope: undefined }, { extra: 1 }])
      expect((await web.ask('POST', 'maintenance', lead, { ...window(), ...wrong })).status).toBe(400);
  });

  it('of another town is neither seen nor ended', async () => {
    const { id } = (await web.ask('POST', 'maintenance', lead, { ...window(), scope: { site: 's2' } })).body;
    expect((await web.ask('GET', 'maintenance', townLead)).body.items).toEqual([]);
    for (const url of [`maintenance/${id}`, `maintenance/${id}/withheld`])
      expect((await web.ask('GET', url, townLead)).status).toBe(404);
    expect((await web.ask('DELETE', `maintenance/${id}`, townLead)).status).toBe(404);
  });
});

describe('a backtest', () => {
  const over = { device: 'd1', from: 0, to: 86_400_000 };

  it('tries a stored rule or a definition', async () => {
    web.backtests.length = 0;
    expect((await web.ask('POST', 'rules/backtest', operator, { ...over, rule: LOW })).status).toBe(200);
    expect((await web.ask('POST', `rules/${LOW}/backtest`, operator, { ...over, warmUp: 9 })).status).toBe(200);
    expect((await web.ask('POST', 'rules/backtest', lead, { ...over, definition })).status).toBe(200);
    expect(web.backtests.map(({ rule, warmUp }) => [rule.id, warmUp])).toEqual([
      [LOW, undefined],
      [LOW, 9],
      ['draft', undefined],
    ]);
  });

  it('says what was odd in the language asked for', async () => {
    const remarks = async (headers: Record<string, string>) =>
      (await web.ask('POST', 'rules/backtest', headers, { ...over, rule: LOW })).body.remarks;
    expect(await remarks(operator)).toEqual(['learns little']);
    expect(await remarks({ ...operator, 'accept-language': 'zh-CN' })).toEqual(['学得少']);
  });

  it('is bounded in time and asks for one thing', async () => {
    const ask = async (body: object) => (await web.ask('POST', 'rules/backtest', operator, body)).body.code;
    expect(await ask({ ...over, rule: LOW, to: 32 * 86_400_000 })).toBe('FIRE_BACKTEST_TOO_MUCH');
    expect(await ask({ ...over, rule: LOW, to: 0 })).toBe('FIRE_REQUEST_INVALID');
    const chinese = { ...operator, 'accept-language': 'zh' };
    const detail = async (body: object) => (await web.ask('POST', 'rules/backtest', chinese, body)).body.detail;
    expect(await detail({ ...over, rule: LOW, to: 0 })).toContain('结束时间(to)须晚于开始时间(from)');
    expect(await detail(over)).toContain('请给出 rule 或 definition 之一');
    expect(await ask(over)).toBe('FIRE_REQUEST_INVALID');
    expect(await ask({ ...over, rule: LOW, definition })).toBe('FIRE_REQUEST_INVALID');
    expect(await ask({ ...over, rule: 'none' })).toBe('FIRE_NOT_FOUND');
  });

  it.each([
    ['when who asked hangs up', (asked: AbortController, _: TestApp) => asked.abort()],
    ['when the platform stops', (_: AbortController, other: TestApp) => void other.app.close()],
  ])('ends %s', async (_, act) => {
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const other = await createTestApp((deps) => ({
      ...deps,
      backtest: ({ signal }) =>
        new Promise((_resolve, reject) => {
          started.resolve();
          signal!.addEventListener('abort', () => {
            ended.resolve();
            reject(new FireError('FIRE_BACKTEST_STOPPED'));
          });
        }),
    }));
    other.ruleBook.put({ id: LOW, definition, scope: { kinds: ['smoke-detector'] } });
    const url = await other.app.listen({ port: 0 });
    const asked = new AbortController();
    const answer = fetch(`${url}/api/v1/rules/backtest`, {
      ...{ method: 'POST', signal: asked.signal, body: JSON.stringify({ ...over, rule: LOW }) },
      headers: { ...(await other.login('operator')), 'content-type': 'application/json' },
    }).catch(() => undefined);
    await started.promise;
    act(asked, other);
    await ended.promise;
    await answer;
    await other.stop();
  });

  it('reads no device outside the caller’s area', async () => {
    const body = { ...over, rule: LOW, device: 'd3' };
    expect((await web.ask('POST', 'rules/backtest', townLead, body)).status).toBe(404);
  });
});
