import type { DeadLetter } from '@smart-fire/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api, Page } from '../harness/api.ts';
import { type Centre, setUpCentre } from '../harness/centre.ts';
import { Live } from '../harness/live.ts';
import { mosquittoPub, mosquittoSub, type Publisher } from '../harness/mosquitto.ts';
import { missing } from '../harness/require.ts';
import { SmartFireServer } from '../harness/server.ts';

const SOON = { timeout: 10_000 };

const heading = "a device that speaks through Mosquitto's own clients, with the fast path";
describe.skipIf(missing('mosquitto')).each(['on', 'off'])(`${heading} %s`, (fastPath) => {
  let server: SmartFireServer;
  let centre: Centre;
  let operator: Api;
  let live: Live;
  let me: Publisher;

  beforeAll(async () => {
    server = await SmartFireServer.launch({ MQTT_FAST_PATH: fastPath });
    centre = await setUpCentre(server.url, server.setupToken);
    operator = await centre.addOperator('watcher');
    const { secret } = await centre.admin.addDevice(centre.site.id, 'smoke-detector', 'smoke-1');
    me = { port: server.ports.mqtt, user: 'smoke-1', password: secret };
    live = await Live.connect(operator, ['smoke-1']);
  });
  afterAll(async () => {
    live?.close();
    await server?.remove();
  });

  const publish = (payload: string | Buffer, topic = 'smartfire/v1/smoke-1/telemetry', as: Partial<Publisher> = {}) =>
    mosquittoPub({ ...me, ...as }, topic, payload);
  const letters = async () =>
    (await operator.get<Page<DeadLetter>>('dead-letters?device=smoke-1')).items.map(({ code }) => code);
  const counted = async (name: string, label: string) => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const line = text.split('\n').find((each) => each.startsWith(`smartfire_${name}{`) && each.includes(`"${label}"`));
    return Number(line?.split(' ').at(-1) ?? 0);
  };

  it('gets PUBACK for telemetry, which is then in the history and on the live connection', async () => {
    const time = Date.now() - 1000;
    expect(await publish(JSON.stringify({ ts: time, values: { temperature: 23.5 } }))).toMatchObject({ code: 0 });
    await expect
      .poll(
        async () => (await operator.get<{ points: number[][] }>('devices/smoke-1/readings?metric=temperature')).points,
        SOON,
      )
      .toEqual([[time, 23.5]]);
    await expect
      .poll(() => live.devices.get('smoke-1'), SOON)
      .toMatchObject({ values: [{ metric: 'temperature', value: 23.5, time }] });
  });

  it('raises one fire alarm with one event, in the list and on the live connection', async () => {
    expect(await publish('{"event":"fire","detail":"head 3"}', 'smartfire/v1/smoke-1/event')).toMatchObject({
      code: 0,
    });
    await expect
      .poll(() => live.alarmOf('smoke-1'), SOON)
      .toMatchObject({ class: 'fire', state: 'active-unacknowledged', count: 1 });
    expect(await operator.alarmsOf('smoke-1')).toMatchObject([{ id: live.alarmOf('smoke-1')!.id, class: 'fire' }]);
  });

  it('may listen under its own id and nowhere else', async () => {
    const own = await mosquittoSub({ ...me, id: 'smoke-1-own' }, 'smartfire/v1/smoke-1/#');
    expect(own.granted).toBe(1);
    await publish('{"values":{"battery":87}}');
    await expect.poll(() => own.lines, SOON).toContain('{"values":{"battery":87}}');
    own.stop();
    const before = await counted('mqtt_refusals_total', 'foreign-filter');
    const all = await mosquittoSub({ ...me, id: 'smoke-1-all' }, 'smartfire/v1/#');
    all.stop();
    expect(all.granted).toBe(128);
    expect(await counted('mqtt_refusals_total', 'foreign-filter')).toBe(before + 1);
  });

  it('is refused with a wrong password, and counted', async () => {
    const { code, output } = await publish('{"values":{"temperature":1}}', undefined, { password: 'wrong' });
    expect(code).not.toBe(0);
    expect(output).toMatch(/not authori[sz]ed|bad user ?name or password/i);
    await expect.poll(() => counted('mqtt_refusals_total', 'credentials'), SOON).toBe(1);
  });

  it("is cut off when it publishes under another's topic, and its dead letters say why", async () => {
    const { secret } = await centre.admin.addDevice(centre.site.id, 'smoke-detector', 'smoke-2');
    const { code } = await publish('{"event":"fire"}', 'smartfire/v1/smoke-2/event');
    expect(code).not.toBe(0);
    await expect.poll(() => counted('mqtt_refusals_total', 'foreign-topic'), SOON).toBeGreaterThanOrEqual(1);
    await expect.poll(letters, SOON).toContain('UNKNOWN_TOPIC');
    expect(await operator.alarmsOf('smoke-2')).toEqual([]);
    expect(secret).not.toBe(me.password);
  });

  it.each<[string, string | Buffer, string]>([
    ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x00, 0x80]), 'NOT_UTF8'],
    ['text that is no JSON', '{"values":', 'NOT_JSON'],
    ['a metric nobody knows', '{"values":{"happiness":3}}', 'UNKNOWN_METRIC'],
    ['a word for a number', '{"values":{"temperature":"hot"}}', 'NOT_A_NUMBER'],
  ])('gets PUBACK and a dead letter for %s', async (_, payload, reason) => {
    const before = await counted('dead_letters_total', reason);
    expect(await publish(payload)).toMatchObject({ code: 0 });
    await expect.poll(letters, SOON).toContain(reason);
    expect(await counted('dead_letters_total', reason)).toBe(before + 1);
  });

  it('is cut off at a packet over 256 KiB, while the next good one is taken', async () => {
    expect((await publish(Buffer.alloc(300 * 1024, 32))).code).not.toBe(0);
    await expect.poll(() => counted('mqtt_refusals_total', 'oversize'), SOON).toBeGreaterThanOrEqual(1);
    await expect.poll(letters, SOON).toContain('TOO_LARGE');
    expect(await publish('{"values":{"temperature":24}}')).toMatchObject({ code: 0 });
  });
});
