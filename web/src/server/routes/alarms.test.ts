import { FireError } from '@smart-fire/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anAlarm } from '../../testing/fake-book.ts';
import { createTestApp, type TestApp } from '../../testing/test-web.ts';

let web: TestApp;
let operator: Record<string, string>;

beforeEach(async () => {
  web = await createTestApp();
  operator = await web.login('operator');
});
afterEach(() => web.stop());

describe('alarms', () => {
  it('are listed newest first over pages, also several of the same millisecond', async () => {
    for (let index = 0; index < 25; index++)
      web.book.put(anAlarm({ id: `a${String(index).padStart(2, '0')}`, raisedAt: Math.floor(index / 4) }));
    const seen: string[] = [];
    let query = 'limit=4';
    for (;;) {
      const { body } = await web.ask('GET', `alarms?${query}`, operator);
      seen.push(...(body.items as { id: string }[]).map(({ id }) => id));
      if (body.next === null) break;
      query = `limit=4&cursor=${body.next}`;
    }
    expect(seen).toEqual([...new Set(seen)]);
    expect(seen).toHaveLength(25);
    expect(seen[0]).toBe('a24');
  });

  it('are found by class, state and device', async () => {
    web.book.put(anAlarm({ id: 'fire' }));
    web.book.put(anAlarm({ id: 'fault', class: 'fault', state: 'closed' }));
    web.book.put(anAlarm({ id: 'tamper', class: 'supervisory', device: 'd2' }));
    const ids = async (query: string) =>
      ((await web.ask('GET', `alarms?${query}`, operator)).body.items as { id: string }[]).map(({ id }) => id).sort();
    expect(await ids('class=fire,fault')).toEqual(['fault', 'fire']);
    expect(await ids('state=closed')).toEqual(['fault']);
    expect(await ids('device=d2')).toEqual(['tamper']);
    expect((await web.ask('GET', 'alarms?class=blaze', operator)).status).toBe(400);
    expect((await web.ask('GET', 'alarms?from=2026-01-01T00:00:00Z&to=1', operator)).status).toBe(200);
    expect((await web.ask('GET', 'alarms?from=yesterday', operator)).status).toBe(400);
  });

  it('say where they are, whom to call and what happened so far', async () => {
    web.book.put(anAlarm({ id: 'a', zone: 'z1' }));
    const { body } = await web.ask('GET', 'alarms/a', operator);
    expect(body).toMatchObject({
      ...{ siteName: '一厂', address: '一路 1 号', zoneName: '车间', contacts: [{ telephone: '000-0000' }] },
      ...{ timeline: [{ action: 'raised' }], explanation: { zh: '火警' }, saved: true },
    });
  });

  it('are acknowledged, verified and closed by a named person', async () => {
    web.book.put(anAlarm({ id: 'a' }));
    const act = (name: string, body: object) => web.ask('POST', `alarms/a/${name}`, operator, body);
    expect((await act('acknowledge', { reason: '  ' })).status).toBe(400);
    expect((await act('acknowledge', { reason: '已派人', version: 1 })).body).toMatchObject({ version: 2 });
    expect((await act('verify', { verdict: 'real-fire' })).body).toMatchObject({ verdict: 'real-fire', version: 3 });
    const bare = await web.app.inject({ method: 'POST', url: '/api/v1/alarms/a/close', headers: operator });
    expect(bare.json()).toMatchObject({ state: 'closed' });
    expect(new Set(web.book.acts.map(({ actor }) => actor.name))).toEqual(new Set(['某operator']));
  });

  it('that somebody else has changed meanwhile are not acted upon', async () => {
    web.book.put(anAlarm({ id: 'a', version: 7 }));
    const late = await web.ask('POST', 'alarms/a/acknowledge', operator, { reason: 'x', version: 6 });
    expect(late.body).toMatchObject({ status: 409, code: 'FIRE_ALARM_CHANGED', params: { version: 7 } });
    expect(web.book.acts).toEqual([]);
  });

  it('cannot be acted upon while the state store is away, and that is said', async () => {
    web.book.put(anAlarm({ id: 'a' }));
    web.book.acknowledge = () => Promise.reject(new FireError('FIRE_STATE_UNAVAILABLE'));
    const away = await web.ask('POST', 'alarms/a/acknowledge', operator, { reason: 'x' });
    expect(away.body).toMatchObject({ status: 503, code: 'FIRE_STATE_UNAVAILABLE' });
  });
});

describe('readings', () => {
  it('come with unit and limits, raw by pages or in buckets', async () => {
    const points = Array.from({ length: 7 }, (_, index): [number, number] => [index * 10, index]);
    web.readings.points = async ({ from, to }, limit) =>
      points.filter(([time]) => time >= from && time < to).slice(0, limit);
    web.readings.buckets = async () => [[0, 1, 2, 3]];
    web.ruleBook.put({
      ...{ id: 'preset:smoke-detector:high', scope: { kinds: ['smoke-detector'] } },
      overrides: [{ id: 'o', scope: { site: 's1' }, changes: { limit: 0.2 } }],
      definition: {
        ...{ id: 'high', class: 'early-warning', zh: '高', en: 'high', source: { zh: '', en: '' } },
        ...{ type: 'threshold', metric: 'smoke_density', direction: 'above', limit: 0.3, hysteresis: 0.1, forMs: 0 },
      },
    });
    const url = 'devices/d1/readings?metric=smoke_density&from=0&to=100';
    const first = (await web.ask('GET', `${url}&limit=4`, operator)).body;
    expect(first).toMatchObject({
      unit: 'dB/m',
      points: points.slice(0, 4),
      limits: [{ limit: 0.2, class: 'early-warning' }],
    });
    const rest = (await web.ask('GET', `${url}&limit=4&cursor=${first.next}`, operator)).body;
    expect(rest).toMatchObject({ points: points.slice(4), next: null });
    expect((await web.ask('GET', `${url}&points=10`, operator)).body.points).toEqual([[0, 1, 2, 3]]);
    expect((await web.ask('GET', 'devices/d1/readings?metric=happiness', operator)).status).toBe(400);
    web.readings.points = () => Promise.reject(new FireError('FIRE_READINGS_UNAVAILABLE'));
    expect((await web.ask('GET', url, operator)).body.code).toBe('FIRE_READINGS_UNAVAILABLE');
  });
});

describe('people', () => {
  it('are added, changed and disabled; the last administrator of everything stays', async () => {
    const admin = await web.login('administrator');
    const me = (await web.ask('GET', 'session', admin)).body.person.id;
    const body = { username: 'new', name: '新', password: 'long enough password', role: 'operator', scope: '/c/' };
    const made = await web.ask('POST', 'users', admin, body);
    expect(made).toMatchObject({ status: 201, body: { username: 'new', disabled: false, validUntil: null } });
    expect(made.text).not.toMatch(/password|argon2/);
    expect((await web.ask('POST', 'users', admin, body)).body.code).toBe('FIRE_ALREADY_EXISTS');
    expect((await web.ask('POST', 'users', admin, { ...body, password: 'short' })).body.code).toBe(
      'FIRE_REQUEST_INVALID',
    );
    for (const change of [{ disabled: true }, { role: 'operator' }, { scope: '/c/' }, { validUntil: 1 }])
      expect((await web.ask('PATCH', `users/${me}`, admin, change)).body.code).toBe('FIRE_LAST_ADMINISTRATOR');
    await web.ask('PATCH', `users/${made.body.id}`, admin, { role: 'administrator', scope: '/' });
    expect((await web.ask('PATCH', `users/${me}`, admin, { disabled: true })).status).toBe(200);
    expect((await web.ask('GET', 'session', admin)).status).toBe(401);
  });

  it('whose password was reset log in anew', async () => {
    const admin = await web.login('administrator');
    const person = await web.addPerson('operator');
    const { value } = await web.context.credentials.startSession(person, 'test');
    await web.ask('PATCH', `users/${person.id}`, admin, { password: 'another long password' });
    expect((await web.ask('GET', 'session', { cookie: `smartfire=${value}` })).status).toBe(401);
    const { username } = person;
    const answer = await web.ask('POST', 'session', {}, { username, password: 'another long password' });
    expect(answer.status).toBe(200);
  });
});
