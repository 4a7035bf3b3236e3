import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interest } from './interest.ts';
import { createRights, filterMatches, ownClientId, userOf } from './rights.ts';
import { type Harness, startBroker, testRegistry } from './testing/harness.ts';
import { publish, RawClient, until } from './testing/raw-client.ts';

let h: Harness;
beforeEach(async () => {
  h = await startBroker();
});
afterEach(() => h.stop());

describe('log-in', () => {
  it.each([
    ['a wrong secret', { user: 'd1', password: 'guess' }, 4, 'credentials'],
    ['no secret', { user: 'd1' }, 4, 'credentials'],
    ['an unknown device', { user: 'nobody', password: 'secret-of-nobody' }, 4, 'credentials'],
    ['nobody', {}, 4, 'credentials'],
    ['a disabled device', { user: 'off', password: 'secret-of-off' }, 5, 'disabled'],
  ])('refuses %s', async (_who, login, code, reason) => {
    const client = await RawClient.login(h.port, login);
    expect(client.code).toBe(code);
    await until(() => client.closed, 'the connection closed');
    expect(await h.refusals(reason)).toBe(1);
    expect(h.intake.presences).toEqual([]);
  });

  it('writes one log line a minute for a device however often it fails', async () => {
    for (let attempt = 0; attempt < 5; attempt++) await RawClient.login(h.port, { user: 'd1', password: 'guess' });
    expect(h.log).toHaveLength(1);
    expect(h.log[0]).toMatchObject({ device: 'd1', reason: 'credentials' });
    h.clock.advance(61_000);
    await RawClient.login(h.port, { user: 'd1', password: 'guess' });
    expect(h.log).toHaveLength(2);
    expect(await h.refusals('credentials')).toBe(6);
  });

  it('refuses a kept session without a client id [MQTT-3.1.3-8]', async () => {
    const bytes = RawClient.connectPacket({ user: 'd1', password: 'secret-of-d1', clientId: '' });
    bytes[9]! &= ~2; // clean session
    const kept = await RawClient.open(h.port);
    kept.write(bytes);
    await until(() => kept.closed, 'the connection closed');
    expect(kept.of('connack')).toMatchObject([{ returnCode: 2 }]);
    const device = await h.login('d1', { clientId: '' });
    expect(device.code).toBe(0);
    device.end();
  });

  it('ends a device at once when its secret changes or it is disabled', async () => {
    const device = await h.login('d1');
    expect(h.broker.connected('d1')).toBe(true);
    h.broker.disconnect('d1');
    await until(() => device.closed, 'the connection closed');
    expect(h.broker.connected('d1')).toBe(false);
  });
});

describe('topics', () => {
  it('lets a device publish on its own topics and a gateway on those of its children', async () => {
    const gateway = await h.login('gw');
    gateway.send(
      publish('smartfire/v1/gw/telemetry', 1, 1),
      publish('smartfire/v1/child1/event', 1, 2, '{"event":"fire"}'),
      publish('smartfire/v1/child2/command/reply', 1, 3),
      publish('smartfire/v1/gw/state', 1, 4, '{"online":true}'),
    );
    await until(() => gateway.of('puback').length === 4, 'four PUBACKs');
    expect(h.intake.messages.map(({ device, channel }) => `${device} ${channel}`)).toEqual([
      'gw telemetry',
      'child1 event',
      'child2 command/reply',
      'gw state',
    ]);
    gateway.end();
  });

  it.each([
    'smartfire/v1/d2/telemetry',
    'smartfire/v1/child1/telemetry',
    'smartfire/v1/nobody/telemetry',
    'smartfire/v1/d1/command',
    'smartfire/v1/d1/telemetry/x',
    'smartfire/v1/agencies/d1/receipts',
    'elsewhere',
    '$SYS/broker/uptime',
  ])('closes a device that publishes on %s, and tells the intake', async (topic) => {
    const device = await h.login('d1');
    device.send(publish(topic, 1, 1));
    await until(() => device.closed, 'the connection closed');
    expect(device.of('puback')).toEqual([]);
    expect(h.intake.messages).toEqual([]);
    expect(h.intake.refused).toEqual([{ device: 'd1', topic, reason: 'foreign-topic' }]);
    expect(await h.refusals('foreign-topic')).toBe(1);
  });

  it('grants filters within the own subtree and a gateway those of its children, and refuses all others', async () => {
    const gateway = await h.login('gw');
    const granted = await gateway.subscribe(
      'smartfire/v1/gw/command',
      'smartfire/v1/gw/#',
      'smartfire/v1/child1/+',
      'smartfire/v1/d1/command',
      'smartfire/v1/+/command',
      'smartfire/v1/#',
      '#',
      '$share/all/smartfire/v1/gw/command',
      '$SYS/#',
    );
    expect(granted).toEqual([1, 1, 1, 128, 128, 128, 128, 128, 128]);
    expect(gateway.closed).toBe(false);
    expect(await h.refusals('foreign-filter')).toBe(6);
    gateway.end();
  });

  it('stops handing a child to a gateway that no longer carries it', async () => {
    const gateway = await h.login('gw');
    expect(await gateway.subscribe('smartfire/v1/child1/state', 'smartfire/v1/child2/state')).toEqual([1, 1]);
    h.registry.putDevice({ ...h.registry.devices.get('child1')!, gateway: null });
    const child = await h.login('child1');
    child.send(publish('smartfire/v1/child1/state', 1, 1, '{"online":true}'));
    await until(() => child.of('puback').length === 1, 'PUBACK');
    gateway.send(publish('smartfire/v1/child2/state', 1, 1, '{"online":true}'));
    await until(() => gateway.of('publish').length > 0, 'the state of the child it still carries');
    expect(gateway.of('publish').map((packet) => (packet as { topic: string }).topic)).toEqual([
      'smartfire/v1/child2/state',
    ]);
    for (const client of [gateway, child]) client.end();
  });

  it('acknowledges and drops what a gateway sends for a disabled child', async () => {
    h.registry.putDevice({ ...h.registry.devices.get('child1')!, disabled: true });
    const gateway = await h.login('gw');
    gateway.send(publish('smartfire/v1/child1/telemetry', 1, 1));
    await until(() => gateway.of('puback').length === 1, 'PUBACK');
    expect(h.intake.messages).toEqual([]);
    expect(h.intake.refused).toEqual([
      { device: 'child1', topic: 'smartfire/v1/child1/telemetry', reason: 'disabled' },
    ]);
    gateway.end();
  });

  it('clears retain on readings and events and keeps it on a state', async () => {
    const device = await h.login('d1');
    for (const [id, channel] of ['telemetry', 'event', 'state'].entries())
      device.send({ ...publish(`smartfire/v1/d1/${channel}`, 1, id + 1), retain: true } as never);
    await until(() => device.of('puback').length === 3, 'three PUBACKs');
    const later = await h.login('d1', { clientId: 'later' });
    await later.subscribe('smartfire/v1/d1/#');
    await until(() => later.of('publish').length > 0, 'the retained state');
    await later.ping();
    expect(later.of('publish')).toMatchObject([{ topic: 'smartfire/v1/d1/state', retain: true }]);
    for (const client of [device, later]) client.end();
  });

  it('hands readings to a client only when it has subscribed to them', async () => {
    const device = await h.login('d1');
    const watcher = await h.login('d1', { clientId: 'watcher' });
    device.send(publish('smartfire/v1/d1/telemetry', 1, 1, '{"seq":1}'));
    await until(() => device.of('puback').length === 1, 'PUBACK');
    await watcher.subscribe('smartfire/v1/d1/telemetry');
    device.send(publish('smartfire/v1/d1/telemetry', 1, 2, '{"seq":2}'));
    await until(() => watcher.of('publish').length === 1, 'the second reading');
    expect(String((watcher.of('publish')[0] as { payload: Buffer }).payload)).toBe('{"seq":2}');
    for (const client of [device, watcher]) client.end();
  });

  it('forwards what was committed after its publisher had gone', async () => {
    h.intake.holding = true;
    const watcher = await h.login('d1', { clientId: 'watcher' });
    await watcher.subscribe('smartfire/v1/d1/event');
    const device = await h.login('d1');
    device.send(publish('smartfire/v1/d1/event', 1, 1, '{"event":"fire"}'));
    await until(() => h.intake.open.length === 1, 'the event handed in');
    device.end();
    await until(() => h.broker.health()[0]!.figures.connections === 1, 'the publisher gone');
    h.intake.commit();
    await until(() => watcher.of('publish').length === 1, 'the event');
    watcher.end();
  });
});

describe('rights', () => {
  it('match filters as MQTT does', () => {
    const matches: [string, string][] = [
      ['a/#', 'a'],
      ['a/+', 'a/'],
      ['+/+', '/b'],
      ['#', 'a/b/c'],
    ];
    const misses: [string, string][] = [
      ['a/+', 'a'],
      ['+', '/b'],
      ['#', '$SYS/x'],
      ['+/x', '$SYS/x'],
      ['a/b', 'a/b/c'],
    ];
    for (const [filter, topic] of matches) expect([filter, topic, filterMatches(filter, topic)]).toContain(true);
    for (const [filter, topic] of misses) expect([filter, topic, filterMatches(filter, topic)]).toContain(false);
  });

  it('keep client ids of different users apart', () => {
    expect(ownClientId('a/b', 'c')).not.toBe(ownClientId('a', 'b/c'));
    expect(userOf(ownClientId('a/b', 'c/d'))).toBe('a/b');
  });

  it('open: any topic and filter, but neither $SYS nor $share', () => {
    const rights = createRights(testRegistry(), true);
    expect(rights.publish('x', 'any/topic')).toBe('ordinary');
    expect(rights.publish('x', 'smartfire/v1/d1/event')).toEqual({ device: 'd1', channel: 'event' });
    expect(rights.publish('x', '$SYS/x')).toBeNull();
    expect(rights.subscribe('x', '#')).toBe(true);
    expect(rights.subscribe('x', '$share/g/#')).toBe(false);
  });

  it('count interest by client and filter', () => {
    const interest = new Interest();
    interest.add('a', 'smartfire/v1/d1/command');
    expect(interest.in('d1')).toBe(false);
    interest.add('a', 'smartfire/v1/d1/#');
    interest.add('a', 'smartfire/v1/d1/#');
    interest.add('b', 'smartfire/v1/d1/+');
    expect([interest.in('d1'), interest.in('d2')]).toEqual([true, false]);
    interest.remove('a', 'smartfire/v1/d1/#');
    expect(interest.in('d1')).toBe(true);
    interest.forget('b');
    expect(interest.in('d1')).toBe(false);
    interest.add('c', '+/v1/#');
    expect(interest.in('d2')).toBe(true);
  });
});
