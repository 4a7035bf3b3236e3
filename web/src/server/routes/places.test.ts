import { verifyAudit } from '@smart-fire/core/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anAlarm } from '../../testing/fake-book.ts';
import { createTestApp, type TestApp } from '../../testing/test-web.ts';

let web: TestApp;
let admin: Record<string, string>;

beforeEach(async () => {
  web = await createTestApp();
  admin = await web.login('administrator');
});
afterEach(() => web.stop());

const post = (url: string, body: object) => web.ask('POST', url, admin, body);
const patch = (url: string, body: object) => web.ask('PATCH', url, admin, body);
const remove = (url: string) => web.ask('DELETE', url, admin);
const actions = async () =>
  (await web.state.db.selectFrom('audit').select('action').orderBy('no').execute())
    .map(({ action }) => action)
    .slice(3);

describe('areas, sites and zones', () => {
  it('take no id that rules of another town still name', async () => {
    const lead = await web.login('administrator', '/c/t1/');
    for (const one of ['area old', 'site old', 'zone old', 'device old']) web.ruleBook.elsewhere.add(one);
    for (const [url, body] of [
      ['areas', { id: 'old', parent: 't1', level: 'village', name: 'x' }],
      ['sites', { id: 'old', area: 't1', name: 'x' }],
      ['zones', { id: 'old', site: 's1', name: 'x' }],
      ['devices', { id: 'old', kind: 'smoke-detector', site: 's1' }],
    ] as const) {
      const { status, body: told } = await web.ask('POST', url, lead, body);
      expect([url, status, told.code]).toEqual([url, 409, 'FIRE_ALREADY_EXISTS']);
    }
    // Who holds both towns sees the rules, and may.
    expect((await post('sites', { id: 'old', area: 't1', name: 'x' })).status).toBe(201);
  });

  it('are made, changed and removed, each with its audit row in an unbroken chain', async () => {
    const area = await post('areas', { parent: 't1', level: 'village', name: ' 一村 ', code: '321183' });
    expect(area).toMatchObject({ status: 201, body: { name: '一村', code: '321183', path: `/c/t1/${area.body.id}/` } });
    const contacts = [{ name: '某某', telephone: '000' }];
    const site = await post('sites', { area: area.body.id, name: '厂', contacts });
    expect(site.body).toMatchObject({
      address: '',
      contacts: [{ post: '' }],
      path: `${area.body.path}${site.body.id}/`,
    });
    const zone = await post('zones', { site: site.body.id, name: '库' });
    expect((await patch(`zones/${zone.body.id}`, { name: '仓库' })).body.name).toBe('仓库');
    expect((await patch(`sites/${site.body.id}`, { address: '三路' })).body.address).toBe('三路');
    expect((await patch(`areas/${area.body.id}`, { code: null })).body.code).toBe(null);
    expect((await web.ask('GET', `sites/${site.body.id}`, admin)).body).toMatchObject({ address: '三路', name: '厂' });
    for (const url of [`zones/${zone.body.id}`, `sites/${site.body.id}`, `areas/${area.body.id}`]) {
      expect((await remove(url)).status).toBe(204);
      expect((await web.ask('GET', url, admin)).status).toBe(404);
    }
    expect(await actions()).toEqual(
      ['area', 'site', 'zone']
        .map((entity) => `${entity}.create`)
        .concat(
          ['zone', 'site', 'area'].map((entity) => `${entity}.update`),
          ['zone', 'site', 'area'].map((entity) => `${entity}.delete`),
        ),
    );
    expect((await verifyAudit(web.state.db)).broken).toBe(null);
  });

  it('do not take an id or code that is taken, nor a level that does not fit', async () => {
    const codes = async (answer: Promise<{ status: number; body: { code: string } }>) => (await answer).body.code;
    expect(await codes(post('areas', { id: 't1', parent: 'c', level: 'town', name: 'x' }))).toBe('FIRE_ALREADY_EXISTS');
    expect(await codes(post('areas', { id: 's1', parent: 't1', level: 'grid', name: 'x' }))).toBe(
      'FIRE_ALREADY_EXISTS',
    );
    expect(await codes(post('sites', { id: 't2', area: 'c', name: 'x' }))).toBe('FIRE_ALREADY_EXISTS');
    expect(await codes(post('areas', { parent: 't1', level: 'city', name: 'x' }))).toBe('FIRE_REQUEST_INVALID');
    await patch('areas/t1', { code: '321183' });
    expect(await codes(patch('areas/t2', { code: '321183' }))).toBe('FIRE_ALREADY_EXISTS');
  });

  it('made twice at the same moment exist once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => post('zones', { id: 'same', site: 's1', name: 'x' })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  it('stay while they hold something', async () => {
    const person = await web.addPerson('town-office', '/c/t1/');
    for (const url of ['areas/c', 'areas/t1', 'sites/s1', 'zones/z1'])
      expect((await remove(url)).body.code).toBe('FIRE_STILL_IN_USE');
    const { body } = await post('areas', { parent: 'c', level: 'town', name: 'x' });
    await web.ask('PATCH', `users/${person.id}`, admin, { scope: body.path });
    expect((await remove(`areas/${body.id}`)).body).toMatchObject({ code: 'FIRE_STILL_IN_USE' });
  });
});

describe('a device', () => {
  it('is registered with a secret that is shown once and stored as a hash', async () => {
    const made = await post('devices', {
      kind: 'smoke-detector',
      site: 's1',
      zone: 'z1',
      gateway: 'g1',
      location: '顶',
    });
    expect(made.status).toBe(201);
    const { device, secret } = made.body;
    expect(secret).toMatch(/^[\w-]{24}$/);
    expect(device).toMatchObject({
      ...{ siteName: '一厂', zoneName: '车间', gateway: 'g1', status: { condition: 'unknown', connected: false } },
    });
    expect(device.id).toMatch(/^smoke-detector-\w{10}$/);
    const audit = await web.state.db.selectFrom('audit').selectAll().execute();
    expect(JSON.stringify(audit)).not.toContain(secret);
    expect(JSON.stringify(audit)).not.toContain(web.registry.devices.get(device.id)!.secretHash);
    expect(web.registry.children('g1')).toContain(device.id);
  });

  it('of an unknown kind, behind a device behind a gateway, or with a forbidden id is refused', async () => {
    for (const body of [
      { kind: 'toaster', site: 's1' },
      { kind: 'heat-detector', site: 's1', gateway: 'd1' },
      { kind: 'heat-detector', site: 's1', id: 'agencies' },
      { kind: 'heat-detector', site: 's1', id: 'a/b' },
    ])
      expect((await post('devices', body)).body.code).toBe('FIRE_REQUEST_INVALID');
    expect((await patch('devices/g1', { gateway: 'd3' })).body.code).toBe('FIRE_REQUEST_INVALID');
    expect((await post('devices', { kind: 'heat-detector', site: 's1', id: 'd1' })).body.code).toBe(
      'FIRE_ALREADY_EXISTS',
    );
  });

  it('is disconnected when its secret changes, when it is disabled, and when it is removed', async () => {
    const before = web.registry.devices.get('d3')!.secretHash;
    const rotated = await post('devices/d3/secret', {});
    expect(rotated.status).toBe(200);
    expect(web.registry.devices.get('d3')!.secretHash).not.toBe(before);
    expect((await patch('devices/d3', { name: '新', disabled: true })).body.status.condition).toBe('disabled');
    expect((await remove('devices/d3')).status).toBe(204);
    expect(web.disconnected).toEqual(['d3', 'd3', 'd3']);
    expect((await actions()).filter((action) => action.startsWith('device.'))).toEqual([
      'device.rotate-secret',
      'device.update',
      'device.delete',
    ]);
  });

  it('stays while it carries others or has an unclosed alarm', async () => {
    expect((await remove('devices/g1')).body.code).toBe('FIRE_STILL_IN_USE');
    web.context.unclosed.put(anAlarm({ id: 'a', device: 'd3', site: 's2' }));
    expect((await remove('devices/d3')).body.code).toBe('FIRE_STILL_IN_USE');
  });

  it('moves with its zone to another site of the caller, and not without', async () => {
    expect((await patch('devices/d1', { site: 's2' })).status).toBe(404);
    const moved = await patch('devices/d1', { site: 's2', zone: null });
    expect(moved.body).toMatchObject({ site: 's2', zone: null });
    expect(web.registry.pathOf('d1')).toBe('/c/t2/s2/');
  });

  it('shows unknown rather than green without recent evidence, and danger above all', async () => {
    const condition = async () => (await web.ask('GET', 'devices/d1/status', admin)).body.condition;
    expect(await condition()).toBe('unknown');
    web.status.set('d1', { lastSeenAt: 1 });
    expect(await condition()).toBe('normal');
    const fault = anAlarm({ id: 'f', class: 'fault' });
    web.context.unclosed.put(fault);
    expect(await condition()).toBe('fault');
    web.status.set('d1', { unknownSince: 5 });
    expect(await condition()).toBe('unknown');
    const fire = anAlarm({ id: 'fire' });
    web.context.unclosed.put({ ...fire, clearedAt: 9 });
    expect(await condition()).toBe('alarm');
    web.context.unclosed.put({ ...fire, state: 'closed' });
    web.context.unclosed.put({ ...fault, clearedAt: 9 });
    web.status.set('d1', { unknownSince: null });
    expect(await condition()).toBe('normal');
  });
});

describe('a list', () => {
  it('is walked by its cursor, without loss or repeat, and filtered', async () => {
    for (let index = 0; index < 23; index++)
      await post('devices', { id: `x${index}`, kind: 'heat-detector', site: 's2', name: `名${index}` });
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body }: { body: { items: { id: string }[]; next: string | null } } = await web.ask(
        'GET',
        `devices?site=s2&limit=5${cursor && `&cursor=${cursor}`}`,
        admin,
      );
      expect(body.items.length).toBeLessThanOrEqual(5);
      seen.push(...body.items.map(({ id }) => id));
      cursor = body.next;
    }
    expect(seen).toHaveLength(24);
    expect(new Set(seen).size).toBe(24);
    const found = await web.ask('GET', `devices?q=${encodeURIComponent('名22')}`, admin);
    expect(found.body.items).toHaveLength(1);
    expect((await web.ask('GET', 'devices?kind=gateway&condition=unknown', admin)).body.items).toHaveLength(1);
  });

  it('refuses a cursor it did not make, a limit too high and a filter it does not know', async () => {
    for (const query of ['cursor=nonsense', 'limit=1001', 'limit=0', 'colour=red', 'condition=fine'])
      expect([query, (await web.ask('GET', `devices?${query}`, admin)).status]).toEqual([query, 400]);
    expect((await web.ask('GET', 'users?cursor=bnVsbA', admin)).body.code).toBe('FIRE_REQUEST_INVALID');
  });
});
