import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startBroker } from './testing/harness.ts';
import { type RawClient, until } from './testing/raw-client.ts';

const topic = (device: string, channel = 'telemetry') => `smartfire/v1/${device}/${channel}`;
const body = '{"ts":1,"values":{"temperature":21}}';

function publish(to: string, { qos = 1, id = 1, retain = false, payload = body } = {}): Buffer {
  const name = Buffer.from(to);
  const variable = qos > 0 ? Buffer.from([id >> 8, id & 0xff]) : Buffer.alloc(0);
  const rest = Buffer.concat([
    Buffer.from([name.length >> 8, name.length & 0xff]),
    name,
    variable,
    Buffer.from(payload),
  ]);
  const length = rest.length < 128 ? [rest.length] : [(rest.length & 0x7f) | 0x80, rest.length >> 7];
  return Buffer.concat([Buffer.from([0x30 | (qos << 1) | Number(retain), ...length]), rest]);
}

let h: Harness;
afterEach(() => h.stop());

const fast = async () => (await h.metrics.getSingleMetric('smartfire_mqtt_fast_total')?.get())?.values[0]?.value ?? 0;
const acks = (client: RawClient) => client.of('puback').map((ack) => ack.messageId);

describe('what a connected device reports', () => {
  beforeEach(async () => {
    h = await startBroker({ config: { MQTT_FAST_PATH: 'on' } });
  });

  it('takes the fast path, at any cut of its bytes', async () => {
    const device = await h.login('d1');
    const bytes = publish(topic('d1'), { id: 0x1234 });
    for (let cut = 1; cut < bytes.length; cut++) {
      device.write(bytes.subarray(0, cut));
      await new Promise((resolve) => setImmediate(resolve));
      device.write(bytes.subarray(cut));
      await until(() => acks(device).length === cut, 'PUBACK');
    }
    expect(new Set(acks(device))).toEqual(new Set([0x1234]));
    expect(new Set(h.intake.messages.map(({ payload }) => `${payload}`))).toEqual(new Set([body]));
    expect(await fast()).toBe(bytes.length - 1);
  });

  it('of QoS 0 is taken without an acknowledgement', async () => {
    const device = await h.login('d1');
    device.write(Buffer.concat([publish(topic('d1'), { qos: 0 }), publish(topic('d1'), { id: 2 })]));
    await until(() => acks(device).length === 1, 'PUBACK');
    expect(h.intake.messages.map(({ qos, packetId }) => [qos, packetId])).toEqual([
      [0, 0],
      [1, 2],
    ]);
    expect(await fast()).toBe(2);
  });

  it('does not overtake what Aedes still works on: handed in and acknowledged in the order of PUBLISH', async () => {
    const gateway = await h.login('gw');
    h.intake.holding = true;
    const sent: Buffer[] = [];
    for (let id = 1; id <= 60; id++) {
      if (id % 7 === 0) sent.push(publish(topic('child1', 'state'), { id, payload: '{"online":true}' }));
      else if (id % 5 === 0) sent.push(publish(topic('child1', 'event'), { id, payload: '{"event":"test"}' }));
      else if (id % 11 === 0) sent.push(publish(topic('gw'), { id, retain: true }));
      else sent.push(publish(topic(`child${1 + (id % 2)}`), { id }));
    }
    gateway.write(Buffer.concat(sent));
    while (acks(gateway).length < 60) {
      h.intake.commit();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const order = Array.from({ length: 60 }, (_, index) => index + 1);
    expect(h.intake.messages.map(({ packetId }) => packetId)).toEqual(order);
    expect(acks(gateway)).toEqual(order);
    expect(await fast()).toBeGreaterThan(30);
  });

  it('and so does what a device declares, to the same intake and never held back for its rate', async () => {
    const slow = await startBroker({ config: { MQTT_FAST_PATH: 'on', MQTT_DEVICE_RATE: 1 } });
    try {
      const device = await slow.login('d1');
      const event = (id: number) => publish(topic('d1', 'event'), { id, payload: `{"event":"fire","seq":${id}}` });
      device.write(Buffer.concat(Array.from({ length: 50 }, (_, index) => event(index + 1))));
      await until(() => acks(device).length === 50, 'all PUBACKs');
      expect(slow.intake.messages.map(({ channel }) => channel)).toEqual(Array(50).fill('event'));
      const taken = await slow.metrics.getSingleMetric('smartfire_mqtt_fast_total')?.get();
      expect(taken?.values[0]?.value).toBe(50);
    } finally {
      await slow.stop();
    }
  });

  it('is held like all else: nothing is acknowledged before it is durable, and never what could not be kept', async () => {
    const device = await h.login('d1');
    h.intake.holding = true;
    device.write(Buffer.concat([1, 2, 3].map((id) => publish(topic('d1'), { id }))));
    await until(() => h.intake.open.length === 3, 'three messages held');
    expect(acks(device)).toEqual([]);
    h.intake.open.shift()!(null);
    await until(() => acks(device).length === 1, 'the first PUBACK');
    h.intake.commit(new Error('disk full'));
    await until(() => device.closed, 'the connection closed');
    expect(acks(device)).toEqual([1]);
  });

  it('reaches those who have subscribed to it, by way of Aedes, from the very next message on', async () => {
    const gateway = await h.login('gw');
    const filter = Buffer.from(topic('child1'));
    const subscribe = Buffer.concat([
      Buffer.from([0x82, filter.length + 5, 0, 9, 0, filter.length]),
      filter,
      Buffer.from([0]),
    ]);
    gateway.write(Buffer.concat([publish(topic('child1'), { id: 1 }), subscribe, publish(topic('child1'), { id: 2 })]));
    await until(() => gateway.of('publish').length === 1 && acks(gateway).length === 2, 'its own message');
    expect(await fast()).toBe(1);
  });

  it('ends with the right to it: another gateway, a disabled device, a foreign topic', async () => {
    const gateway = await h.login('gw');
    gateway.write(publish(topic('child1'), { id: 1 }));
    await until(() => acks(gateway).length === 1, 'PUBACK');
    const child = h.registry.devices.get('child1')!;
    h.registry.putDevice({ ...child, disabled: true });
    gateway.write(publish(topic('child1'), { id: 2 }));
    await until(() => acks(gateway).length === 2, 'PUBACK of a dropped message');
    expect(h.intake.messages).toHaveLength(1);
    h.registry.putDevice({ ...child, disabled: false, gateway: 'd2' });
    gateway.write(publish(topic('child1'), { id: 3 }));
    await until(() => gateway.closed, 'the connection closed');
    expect(h.intake.messages).toHaveLength(1);
  });

  it('tells a gateway’s children apart, however many and however alike', async () => {
    for (let i = 0; i < 300; i++)
      h.registry.putDevice({ ...h.registry.devices.get('child1')!, id: `c${i}-x`, gateway: 'gw' });
    const gateway = await h.login('gw');
    const ids = Array.from({ length: 600 }, (_, i) => `c${(i * 7) % 300}-x`);
    h.registry.putDevice({ ...h.registry.devices.get('d2')!, id: 'elsewhere' });
    gateway.write(Buffer.concat(ids.map((device, i) => publish(topic(device), { id: i + 1 }))));
    await until(() => acks(gateway).length === 600 || gateway.closed, 'all PUBACKs');
    expect(h.intake.messages.map(({ device }) => device)).toEqual(ids);
    expect(await fast()).toBe(600);
  });

  it('is refused when malformed', async () => {
    for (const bytes of [
      publish(topic('d1'), { id: 0 }),
      Buffer.from([0x32, 3, 0, 9, 0x61]),
      publish(topic('d1').replace('/t', '\u0000t')),
      Buffer.from([0x36, 4, 0, 2, 0x61, 0x62]),
    ]) {
      const device = await h.login('d1');
      device.write(bytes);
      await until(() => device.closed, 'the connection closed');
    }
    expect(h.intake.messages).toEqual([]);
  });
});

it('takes nothing when switched off, and all is acknowledged the same', async () => {
  h = await startBroker({ config: { MQTT_FAST_PATH: 'off' } });
  const device = await h.login('d1');
  device.write(Buffer.concat([1, 2, 3, 4].map((id) => publish(topic('d1'), { id }))));
  await until(() => acks(device).length === 4, 'PUBACKs');
  expect(acks(device)).toEqual([1, 2, 3, 4]);
  expect(await fast()).toBe(0);
});
