import type { Role } from '@smart-fire/core';
import { MetricsRegistry, systemClock } from '@smart-fire/core/node';
import type { FakeClock } from '@smart-fire/core/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createPerson } from '../create-person.ts';
import { anAlarm } from '../testing/fake-book.ts';
import { LiveClient } from '../testing/live-client.ts';
import { createTestDeps, PASSWORD } from '../testing/test-web.ts';
import { createWeb, type Web } from '../web.ts';

let parts: Awaited<ReturnType<typeof createTestDeps>>;
let web: Web;
let clients: LiveClient[];
let names = 0;

beforeEach(async () => {
  parts = await createTestDeps(systemClock as unknown as FakeClock);
  web = createWeb(parts.deps);
  await web.start();
  clients = [];
});
afterEach(async () => {
  for (const { socket } of clients) socket.terminate();
  await web.stop();
  await parts.state.close();
});

const api = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${web.address()}/api/v1/${path}`, init);

async function logIn(role: Role, scope = '/') {
  const username = `${role}${++names}`;
  const person = await createPerson(parts.state, { username, name: username, role, scope, password: PASSWORD });
  const headers = { 'content-type': 'application/json' };
  const response = await api('session', {
    method: 'POST',
    headers,
    body: JSON.stringify({ username, password: PASSWORD }),
  });
  expect(response.status).toBe(200);
  return { person, headers: { cookie: response.headers.get('set-cookie')!.split(';')[0]! } };
}

function connect(headers: Record<string, string>, hello?: object | null): LiveClient {
  const client = new LiveClient(web.address(), headers, hello);
  clients.push(client);
  return client;
}

const until = (check: () => void, timeout = 5000) => vi.waitFor(check, { timeout, interval: 5 });

describe('a console', () => {
  it('gets a snapshot, then every change of an alarm with what a person needs to act, and closed ones once', async () => {
    const old = parts.book.put(anAlarm({ id: 'old', zone: 'z1' }));
    const { headers } = await logIn('operator');
    const client = connect(headers);
    await until(() => expect(client.alarms.has('old')).toBe(true));
    expect(client.alarms.get('old')).toMatchObject({
      ...{ siteName: '一厂', address: '一路 1 号', zoneName: '车间', deviceName: 'd1', deviceKind: 'smoke-detector' },
    });
    parts.book.put(anAlarm({ id: 'new' }));
    await until(() => expect(client.alarms.has('new')).toBe(true));
    parts.book.put({ ...old, state: 'closed', version: 2 }, 'closed');
    await until(() => expect([...client.alarms.keys()]).toEqual(['new']));
    expect(client.outOfStep).toBe(0);
    const again = connect(headers);
    await until(() => expect([...again.alarms.keys()]).toEqual(['new']));
  });

  it('sees another console acknowledge', async () => {
    parts.book.put(anAlarm({ id: 'a' }));
    const one = await logIn('operator');
    const other = connect((await logIn('operator')).headers);
    await until(() => expect(other.alarms.has('a')).toBe(true));
    const headers = { ...one.headers, 'content-type': 'application/json' };
    const body = JSON.stringify({ reason: '已派人', version: 1 });
    expect((await api('alarms/a/acknowledge', { method: 'POST', headers, body })).status).toBe(200);
    await until(() => expect(other.alarms.get('a')).toMatchObject({ acknowledgedBy: one.person.name, version: 2 }));
  });

  it('gets the statuses of the devices it watches, an alarm changing their colour', async () => {
    const { headers } = await logIn('operator');
    const client = connect(headers, { type: 'hello', watch: ['d1'] });
    await until(() => expect([...client.devices.keys()]).toEqual(['d1']));
    expect(client.devices.get('d1').condition).toBe('unknown');
    parts.status.set('d2', { lastSeenAt: 1 });
    const value = { point: '', metric: 'smoke_density' as const, value: 0.1, time: 1, receivedAt: 1, flags: 0 };
    parts.status.set('d1', { connected: true, lastSeenAt: 1, values: [value] });
    await until(() =>
      expect(client.devices.get('d1')).toMatchObject({ condition: 'normal', values: [{ unit: 'dB/m' }] }),
    );
    parts.book.put(anAlarm({ id: 'a' }));
    await until(() => expect(client.devices.get('d1').condition).toBe('alarm'));
    client.say({ type: 'hello', since: client.seq, watch: ['d2'] });
    await until(() => expect(client.devices.get('d2')).toMatchObject({ condition: 'normal' }));
    // What changes while nobody watches is there as soon as somebody does, also for one who watched before.
    parts.status.set('d1', { connected: true, lastSeenAt: 2, values: [{ ...value, value: 0.2, time: 2 }] });
    client.say({ type: 'hello', since: client.seq, watch: ['d1'] });
    await until(() => expect(client.devices.get('d1').values).toMatchObject([{ value: 0.2 }]));
    expect(client.types().filter((type) => type === 'snapshot')).toHaveLength(1);
    parts.status.set('d2', { connected: true, lastSeenAt: 3, values: [{ ...value, value: 0.3, time: 3 }] });
    const other = connect(headers, { type: 'hello', watch: ['d2'] });
    await until(() => expect(other.devices.get('d2')?.values).toMatchObject([{ value: 0.3 }]));
    other.socket.close();
    await until(() => expect(other.closed).not.toBe(null));
    parts.status.set('d2', { connected: true, lastSeenAt: 4, values: [{ ...value, value: 0.4, time: 4 }] });
    const all = connect(headers);
    await until(() => expect(all.devices.get('d2')?.values).toMatchObject([{ value: 0.4 }]));
    // Two go on from the same place, one behind the other; frames are shared.
    const since = all.seq;
    let last = all;
    for (const shown of [0.5, 0.6]) {
      last.socket.close();
      await until(() => expect(last.closed).not.toBe(null));
      parts.status.set('d2', { connected: true, lastSeenAt: 5, values: [{ ...value, value: shown, time: 5 }] });
      const again = connect(headers, { type: 'hello', since });
      await until(() => expect(again.devices.get('d2')?.values).toMatchObject([{ value: shown }]));
      last = again;
    }
  });

  it('of one town hears nothing of the other', async () => {
    const client = connect((await logIn('operator', '/c/t1/')).headers);
    parts.book.put(anAlarm({ id: 'theirs', device: 'd3', site: 's2' }));
    parts.book.put(anAlarm({ id: 'mine' }));
    parts.status.set('d3', { lastSeenAt: 1 });
    await until(() => expect([...client.alarms.keys()]).toEqual(['mine']));
    await until(() => expect(client.devices.get('d1')?.condition).toBe('alarm'));
    expect(JSON.stringify(client.messages)).not.toMatch(/theirs|"d3"|s2/);
  });

  it('of a role without readings gets no values, without health none of it', async () => {
    parts.health.push({ part: 'journal', level: 'ok', since: 1, sentence: { zh: '好', en: 'fine' }, figures: {} });
    const value = { point: '', metric: 'temperature' as const, value: 21, time: 1, receivedAt: 1, flags: 0 };
    parts.status.set('d1', { lastSeenAt: 1, values: [value] });
    const agency = connect((await logIn('agency')).headers);
    const operator = connect((await logIn('operator')).headers);
    await until(() => expect(operator.devices.get('d1')?.values).toHaveLength(1));
    await until(() => expect(JSON.stringify(operator.messages)).toContain('journal'));
    await until(() => expect(agency.devices.get('d1')?.condition).toBe('normal'));
    expect(agency.devices.get('d1').values).toEqual([]);
    expect(JSON.stringify(agency.messages)).not.toContain('journal');
  });

  it('learns that a renamed site is renamed on its open alarms', async () => {
    parts.book.put(anAlarm({ id: 'a' }));
    const client = connect((await logIn('operator')).headers);
    await until(() => expect(client.alarms.get('a')?.siteName).toBe('一厂'));
    parts.registry.putSite({ ...parts.registry.sites.get('s1')!, name: '新名' });
    await until(() => expect(client.alarms.get('a')?.siteName).toBe('新名'));
  });
});

describe('a live connection', () => {
  it('needs a log-in, and our own page', async () => {
    const stranger = connect({});
    const { headers } = await logIn('operator');
    const foreign = connect({ ...headers, origin: 'http://evil.example' });
    const own = connect({ ...headers, origin: `http://127.0.0.1:${web.address()}` });
    await until(() => expect(stranger.refused).toBe(401));
    await until(() => expect(foreign.refused).toBe(403));
    await until(() => expect(own.types()).toContain('snapshot'));
  });

  it('ends at once when its session or its person does, or his rights change', async () => {
    const admin = await logIn('administrator');
    const patch = (id: string, body: object) =>
      api(`users/${id}`, {
        ...{ method: 'PATCH', body: JSON.stringify(body) },
        headers: { ...admin.headers, 'content-type': 'application/json' },
      });
    const people = await Promise.all([logIn('operator'), logIn('operator'), logIn('operator')]);
    const open = people.map(({ headers }) => connect(headers));
    for (const client of open) await until(() => expect(client.types()).toContain('snapshot'));
    await api('session', { method: 'DELETE', headers: people[0]!.headers });
    await patch(people[1]!.person.id, { disabled: true });
    await patch(people[2]!.person.id, { scope: '/c/t1/' });
    await until(() => expect(open.map(({ closed }) => closed)).toEqual([4401, 4401, 4402]));
    expect((await api('alarms', { headers: people[1]!.headers })).status).toBe(401);
  });

  it('is closed when it talks nonsense', async () => {
    const { headers } = await logIn('operator');
    const nonsense = [{ type: 'subscribe' }, { type: 'hello', watch: ['a/b'] }, []].map((hello) =>
      connect(headers, hello),
    );
    for (const client of nonsense) await until(() => expect(client.closed).toBe(4400));
  });

  it('ends with the server, which does not wait for it', async () => {
    const client = connect((await logIn('operator')).headers);
    await until(() => expect(client.types()).toContain('snapshot'));
    await web.stop();
    await until(() => expect(client.closed).not.toBe(null));
  });
});

it('hands MQTT over WebSocket to the broker, and refuses other protocols and places', async () => {
  const taken: WebSocket[] = [];
  await web.stop();
  web = createWeb({ ...parts.deps, metrics: new MetricsRegistry(), mqttUpgrade: (ws) => taken.push(ws) });
  await web.start();
  const open = (path: string, protocol?: string) => {
    const ws = new WebSocket(`ws://127.0.0.1:${web.address()}${path}`, protocol ? [protocol] : []);
    return new Promise<string>((resolve) => {
      ws.on('open', () => resolve(ws.protocol));
      ws.on('unexpected-response', (_request, { statusCode }) => resolve(String(statusCode)));
    });
  };
  expect(await open('/mqtt', 'mqtt')).toBe('mqtt');
  expect(taken).toHaveLength(1);
  expect(await open('/mqtt')).toBe('400');
  expect(await open('/elsewhere')).toBe('404');
});

it('brings 10,000 alarms to 200 consoles and everybody ends with all of them', async () => {
  const { headers } = await logIn('operator');
  // Raw sockets that only count: 200 clients parsing JSON in this process would be what is measured.
  let bytes = 0;
  const sockets = Array.from({ length: 199 }, () => {
    const ws = new WebSocket(`ws://127.0.0.1:${web.address()}/api/v1/live`, { headers, perMessageDeflate: false });
    ws.on('open', () => ws.send('{"type":"hello","watch":[]}'));
    ws.on('message', (data) => (bytes += (data as Buffer).length));
    return ws;
  });
  const client = connect(headers, { type: 'hello', watch: [] });
  await until(() => expect(sockets.every(({ readyState }) => readyState === WebSocket.OPEN)).toBe(true));
  await until(() => expect(client.types()).toContain('snapshot'));
  for (let id = 0; id < 10_000; id++) parts.book.put(anAlarm({ id: `a${id}`, class: id % 10 ? 'fault' : 'fire' }));
  await until(() => expect(client.alarms.size).toBe(10_000), 30_000);
  expect(client.outOfStep).toBe(0);
  const share = client.messages.reduce((sum, message) => sum + JSON.stringify(message).length, 0);
  await until(() => expect(bytes).toBeGreaterThan(199 * share * 0.9), 30_000);
  for (const socket of sockets) socket.terminate();
}, 70_000);
