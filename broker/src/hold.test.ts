import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startBroker } from './testing/harness.ts';
import { publish, until } from './testing/raw-client.ts';

const TELEMETRY = 'smartfire/v1/d1/telemetry';
let h: Harness;
beforeEach(async () => {
  h = await startBroker();
});
afterEach(() => h.stop());

describe('the hold', () => {
  it('acknowledges nothing before the commit, then in the order of PUBLISH although commits are answered out of order', async () => {
    h.intake.holding = true;
    const device = await h.login('d1');
    device.send(...[1, 2, 3, 4].map((id) => publish(TELEMETRY, 1, id)));
    await until(() => h.intake.messages.length === 4, 'four messages handed in');
    await device.ping();
    expect(device.of('puback')).toEqual([]);
    const [first, second, third, fourth] = h.intake.open;
    for (const done of [third!, fourth!, second!]) done(null);
    await device.ping();
    expect(device.of('puback')).toEqual([]);
    first!(null);
    await until(() => device.of('puback').length === 4, 'four PUBACKs');
    expect(device.ids('puback')).toEqual([1, 2, 3, 4]);
    device.end();
  });

  it('closes without PUBACK when the commit fails', async () => {
    h.intake.holding = true;
    const device = await h.login('d1');
    device.send(publish(TELEMETRY, 1, 1), publish(TELEMETRY, 1, 2));
    await until(() => h.intake.open.length === 2, 'two messages handed in');
    h.intake.commit(new Error('disk full'));
    await until(() => device.closed, 'the connection closed');
    expect(device.of('puback')).toEqual([]);
    expect(await h.refusals('not-committed')).toBe(2);
  });

  it('closes without PUBACK after five seconds, and not before', async () => {
    h.intake.holding = true;
    const device = await h.login('d1');
    device.send(...[1, 2, 3].map((id) => publish(TELEMETRY, 1, id)));
    await until(() => h.intake.open.length === 3, 'three messages handed in');
    await h.clock.advanceInSteps(4900);
    await device.ping();
    expect(device.closed).toBe(false);
    await h.clock.advanceInSteps(700);
    await until(() => device.closed, 'the connection closed');
    h.intake.commit();
    expect(device.of('puback')).toEqual([]);
    expect(h.intake.presences.at(-1)).toEqual({ device: 'd1', online: false, reason: 'hold-too-long' });
  });

  it('keeps a device that pings connected while three of its packets are held from one read, and answers the pings', async () => {
    h.intake.holding = true;
    const device = await h.login('d1', { keepalive: 1 });
    device.send(...[1, 2, 3, 4, 5].map((id) => publish(TELEMETRY, 1, id)));
    await until(() => h.intake.open.length === 5, 'five messages handed in');
    for (let second = 0; second < 4; second++) {
      await h.clock.advanceInSteps(1000);
      await device.ping();
    }
    expect(device.closed).toBe(false);
    h.intake.commit();
    await until(() => device.of('puback').length === 5, 'five PUBACKs');
    device.end();
  });

  it('ends a silent device after one and a half keepalives', async () => {
    const device = await h.login('d1', { keepalive: 10 });
    await h.clock.advanceInSteps(14_800);
    expect(device.closed).toBe(false);
    await h.clock.advanceInSteps(1000);
    await until(() => device.closed, 'the connection closed');
    expect(h.intake.presences.at(-1)).toEqual({ device: 'd1', online: false, reason: 'keepalive' });
  });

  it('does not take a clock set forward, or a suspended process, for silence', async () => {
    const device = await h.login('d1', { keepalive: 10 });
    h.clock.jump(h.clock.now() + 3_600_000);
    await h.clock.advanceInSteps(1000);
    await device.ping();
    expect(device.closed).toBe(false);
    device.end();
  });

  it('lets devices in while readings cannot be taken: one may have a fire to report', async () => {
    h.intake.accepting = false;
    const device = await h.login('d1');
    expect(device.code).toBe(0);
    device.send(publish('smartfire/v1/d1/event', 1, 7, '{"event":"fire"}'));
    await until(() => device.of('puback').length === 1, 'PUBACK');
    device.end();
  });

  it.each([
    ['one reading', [publish(TELEMETRY, 1, 1)]],
    ['three', [1, 2, 3].map((id) => publish(TELEMETRY, 1, id))],
    ['a retained one', [{ ...publish(TELEMETRY, 1, 1), retain: true }]],
    ['one by QoS 2', [publish(TELEMETRY, 2, 1)]],
  ])('lets an event come in behind %s that is refused, before it closes', async (_what, readings) => {
    h.intake.accepting = false;
    h.intake.holding = true;
    const device = await h.login('d1');
    device.send(...(readings as never[]));
    await until(() => h.intake.messages.length === readings.length, 'the readings handed in');
    device.send(publish('smartfire/v1/d1/event', 1, 7, '{"event":"fire"}'));
    await until(() => h.intake.messages.at(-1)?.channel === 'event', 'the event handed in');
    const [first, ...rest] = h.intake.open;
    for (const done of rest) done(null);
    first!(new Error('refused'));
    await until(() => device.closed, 'the connection closed');
    expect([...device.of('puback'), ...device.of('pubrec')]).toEqual([]);
  });

  it('holds PUBREC likewise, and hands a QoS 2 message in once although it is sent again', async () => {
    h.intake.holding = true;
    const device = await h.login('d1', { clean: false });
    device.send(publish(TELEMETRY, 2, 7, '{"seq":1}'));
    await until(() => h.intake.open.length === 1, 'the message handed in');
    await device.ping();
    expect(device.of('pubrec')).toEqual([]);
    h.intake.commit();
    await until(() => device.of('pubrec').length === 1, 'PUBREC');
    device.end();
    const again = await h.login('d1', { clean: false });
    again.send({ ...publish(TELEMETRY, 2, 7, '{"seq":1}'), dup: true } as never);
    await until(() => again.of('pubrec').length === 1, 'PUBREC of the repeat');
    again.send({ cmd: 'pubrel', messageId: 7 });
    await until(() => again.of('pubcomp').length === 1, 'PUBCOMP');
    expect(h.intake.messages).toHaveLength(1);
    again.end();
  });

  it('tells the intake that a message is a repeat when it does not know so itself', async () => {
    const device = await h.login('d1');
    device.send({ ...publish(TELEMETRY, 1, 9), dup: true } as never);
    await until(() => device.of('puback').length === 1, 'PUBACK');
    expect(h.intake.messages[0]).toMatchObject({ device: 'd1', channel: 'telemetry', qos: 1, dup: true, packetId: 9 });
    device.end();
  });

  it('takes QoS 0 unheld, even when the publisher leaves at once', async () => {
    h.intake.holding = true;
    const device = await h.login('d1');
    device.send(publish(TELEMETRY, 0, 0), publish(TELEMETRY, 0, 0), { cmd: 'disconnect' });
    device.socket.end();
    await until(() => h.intake.messages.length === 2, 'both messages handed in');
    await until(() => device.closed, 'the connection closed');
  });

  it('drops QoS 0 readings while nothing can be committed, but still hands events in', async () => {
    const device = await h.login('d1');
    h.intake.accepting = false;
    device.send(publish(TELEMETRY, 0, 0), publish('smartfire/v1/d1/event', 0, 0, '{"event":"fire"}'));
    await until(() => h.intake.messages.length > 0, 'the event handed in');
    await device.ping();
    expect(h.intake.messages.map((message) => message.channel)).toEqual(['event']);
    device.end();
  });
});
