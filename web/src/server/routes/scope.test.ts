import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anAlarm } from '../../testing/fake-book.ts';
import { createTestApp, type TestApp } from '../../testing/test-web.ts';

let web: TestApp;
let lead: Record<string, string>;
let admin: Record<string, string>;

beforeAll(async () => {
  web = await createTestApp();
  lead = await web.login('duty-lead', '/c/t1/');
  admin = await web.login('administrator', '/c/t1/');
  web.book.put(anAlarm({ id: 'mine', device: 'd1', site: 's1' }));
  web.book.put(anAlarm({ id: 'theirs', device: 'd3', site: 's2' }));
  web.book.put(anAlarm({ id: 'orphan', device: 'gone', site: 'gone' }));
  for (const device of ['d1', 'd3'])
    await web.journal.addDeadLetter({
      ...{ device, topic: 't', receivedAt: 1, code: 'NOT_JSON', problems: [], payload: 'x', encoding: 'utf8' },
    });
});
afterAll(() => web.stop());

const ids = async (url: string, headers = lead) =>
  ((await web.ask('GET', url, headers)).body.items as { id: string }[]).map(({ id }) => id).sort();

describe('a person of one town', () => {
  it('sees only that town in every list', async () => {
    expect(await ids('areas')).toEqual(['t1']);
    expect(await ids('sites')).toEqual(['s1']);
    expect(await ids('zones')).toEqual(['z1']);
    expect(await ids('devices')).toEqual(['d1', 'd2', 'g1']);
    expect(await ids('alarms')).toEqual(['mine']);
    const letters = (await web.ask('GET', 'dead-letters', lead)).body.items as { device: string }[];
    expect(letters.map(({ device }) => device)).toEqual(['d1']);
  });

  it('gains nothing by asking for the other town in a filter', async () => {
    expect(await ids('sites?area=t2')).toEqual([]);
    expect(await ids('zones?site=s2')).toEqual([]);
    expect(await ids('devices?site=s2')).toEqual([]);
    expect(await ids('devices?area=t2')).toEqual([]);
    expect(await ids('alarms?device=d3')).toEqual([]);
    expect((await web.ask('GET', 'dead-letters?device=d3', lead)).status).toBe(404);
  });

  it('finds nothing of the other town under any address, as if it did not exist', async () => {
    const readings = 'readings?metric=smoke_density';
    for (const url of ['devices/d3', 'devices/d3/status', 'devices/d3/raw-messages', `devices/d3/${readings}`]) {
      const theirs = await web.ask('GET', url, lead);
      const none = await web.ask('GET', url.replace('d3', 'dx'), lead);
      expect([theirs.status, theirs.body.code]).toEqual([404, 'FIRE_NOT_FOUND']);
      expect(theirs.text.replaceAll('d3', 'dx')).toBe(none.text);
    }
    for (const url of ['areas/t2', 'areas/c', 'sites/s2', 'zones/z2', 'alarms/theirs', 'alarms/orphan'])
      expect((await web.ask('GET', url, lead)).status).toBe(404);
  });

  it('cannot act on an alarm of the other town', async () => {
    for (const [act, body] of [
      ['acknowledge', { reason: 'x' }],
      ['verify', { verdict: 'test' }],
      ['close', {}],
    ] as const)
      expect((await web.ask('POST', `alarms/theirs/${act}`, lead, body)).status).toBe(404);
    expect(web.book.acts).toEqual([]);
  });
});

describe('an administrator of one town', () => {
  it('can put nothing into the other town, nor move anything there', async () => {
    const refused = async (method: 'POST' | 'PATCH', url: string, body: object) =>
      expect([url, (await web.ask(method, url, admin, body)).status]).toEqual([url, 404]);
    await refused('POST', 'areas', { parent: 't2', level: 'village', name: 'x' });
    await refused('POST', 'areas', { parent: null, level: 'city', name: 'x' });
    await refused('POST', 'sites', { area: 't2', name: 'x' });
    await refused('POST', 'zones', { site: 's2', name: 'x' });
    await refused('POST', 'devices', { kind: 'gateway', site: 's2' });
    await refused('POST', 'devices', { kind: 'heat-detector', site: 's1', gateway: 'd3' });
    await refused('POST', 'devices', { kind: 'heat-detector', site: 's1', zone: 'z2' });
    await refused('PATCH', 'devices/d1', { site: 's2' });
    await refused('PATCH', 'devices/d3', { name: 'x' });
    await refused('POST', 'devices/d3/secret', {});
  });

  it('manages people of that town only, and gives no wider scope than that town', async () => {
    const other = await web.addPerson('operator', '/c/t2/');
    const everywhere = await web.addPerson('operator', '/');
    const near = await web.addPerson('operator', '/c/t1/s1/');
    const names = ((await web.ask('GET', 'users', admin)).body.items as { id: string }[]).map(({ id }) => id);
    expect(names).toContain(near.id);
    expect(names).not.toContain(other.id);
    expect(names).not.toContain(everywhere.id);
    expect((await web.ask('PATCH', `users/${other.id}`, admin, { disabled: true })).status).toBe(404);
    expect((await web.ask('PATCH', `users/${near.id}`, admin, { scope: '/' })).status).toBe(404);
    const person = { username: 'x', name: 'x', password: 'long enough password', role: 'operator' };
    for (const scope of ['/', '/c/', '/c/t2/', '/c/t1', '/c/t1/none/'])
      expect((await web.ask('POST', 'users', admin, { ...person, scope })).status).toBe(404);
    expect((await web.ask('POST', 'users', admin, { ...person, scope: '/c/t1/s1/' })).status).toBe(201);
  });

  it('reads only what was done in that town in the trail, also about things that are no more', async () => {
    const root = await web.login('administrator');
    await web.ask('PATCH', 'sites/s2', root, { address: 'secret street' });
    await web.ask('POST', 'zones', root, { id: 'z9', site: 's2', name: 'x' });
    await web.ask('DELETE', 'zones/z9', root);
    await web.ask('PATCH', 'sites/s1', root, { address: 'near street' });
    await web.ask('POST', 'zones', root, { id: 'z8', site: 's1', name: 'x' });
    await web.ask('DELETE', 'zones/z8', root);
    const page = await web.ask('GET', 'audit?limit=1000', admin);
    const subjects = new Set((page.body.items as { subject: string }[]).map(({ subject }) => subject));
    expect(subjects).toContain('site:s1');
    expect(subjects).toContain('zone:z8');
    expect(subjects).not.toContain('zone:z9');
    expect(page.text).not.toContain('secret street');
    const whole = await web.ask('GET', 'audit?limit=1000', root);
    expect(whole.text).toContain('secret street');
    expect(whole.body.items[0]).toMatchObject({ action: 'zone.delete', actorName: '某administrator' });
  });
});

it('shows an alarm whose site is no more to those who see the whole tree', async () => {
  const root = await web.login('operator');
  expect((await web.ask('GET', 'alarms/orphan', root)).status).toBe(200);
});
