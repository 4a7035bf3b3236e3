import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openState, type StateStore, systemClock } from '@smart-fire/core/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Harness, startBroker, testRegistry } from './testing/harness.ts';
import { publish, until } from './testing/raw-client.ts';

const STATE = 'smartfire/v1/d1/state';
const COMMAND = 'smartfire/v1/d1/command';
let dataDir: string;
let state: StateStore;
let h: Harness | null = null;
const open = async () => {
  state = await openState('sqlite:state.db', { dataDir, clock: systemClock });
};
const restart = async (options = {}) => {
  await h?.stop();
  await state.close();
  await open();
  h = await startBroker({ state, ...options });
  return h;
};
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'broker-'));
  await open();
  h = null;
});
afterEach(async () => {
  await h?.stop();
  await state.close();
  rmSync(dataDir, { recursive: true });
});

const payloads = (client: { of(cmd: 'publish'): unknown[] }) =>
  (client.of('publish') as { payload: Buffer }[]).map((packet) => String(packet.payload));

describe('a persistent session', () => {
  it('survives restarts: its filters, its queue in order, and what is retained', async () => {
    h = await startBroker({ state, open: true });
    const device = await h.login('d1', { clean: false });
    await device.subscribe(COMMAND);
    device.send({ cmd: 'disconnect' });
    await until(() => device.closed, 'the device gone');
    const sender = await h.login('centre');
    sender.send(...['a', 'b', 'c'].map((text, n) => publish(COMMAND, 1, n + 1, text)));
    sender.send({ ...publish(STATE, 1, 9, '{"online":true}'), retain: true } as never);
    await until(() => sender.of('puback').length === 4, 'all acknowledged');
    await restart();
    const back = await h.login('d1', { clean: false });
    expect(back.sessionPresent).toBe(true);
    await until(() => back.of('publish').length === 3, 'the queued commands');
    expect(payloads(back)).toEqual(['a', 'b', 'c']);
    for (const id of back.ids('publish')) back.send({ cmd: 'puback', messageId: id! });
    await back.subscribe(STATE);
    await until(() => back.of('publish').length === 4, 'the retained state');
    await restart();
    const later = await h.login('d1', { clean: false });
    expect(later.sessionPresent).toBe(true);
    await later.ping();
    expect(payloads(later)).toEqual([]);
    later.end();
  });

  it('never holds a filter that was refused, and never receives on it', async () => {
    h = await startBroker({ state });
    const device = await h.login('d1', { clean: false });
    expect(await device.subscribe(STATE, 'smartfire/v1/d2/state', 'smartfire/v1/d1/event')).toEqual([1, 128, 1]);
    device.end();
    await restart();
    const rows = await state.db.selectFrom('mqtt_session').selectAll().execute();
    expect(JSON.parse(rows[0]!.subscriptions).map(({ topic }: { topic: string }) => topic)).toEqual([
      STATE,
      'smartfire/v1/d1/event',
    ]);
    const other = await h!.login('d2');
    other.send({ ...publish('smartfire/v1/d2/state', 1, 1, '{"online":true}'), retain: true } as never);
    await until(() => other.of('puback').length === 1, 'PUBACK');
    const back = await h!.login('d1', { clean: false });
    await back.ping();
    expect(payloads(back)).toEqual([]);
    for (const client of [other, back]) client.end();
  });

  it('keeps a bounded queue, dropping the oldest', async () => {
    h = await startBroker({ state, open: true, config: { MQTT_QUEUE_MAX: 3 } });
    const device = await h.login('d1', { clean: false });
    await device.subscribe(COMMAND);
    device.end();
    const sender = await h.login('centre');
    await until(() => h!.broker.health()[0]!.figures.connections === 1, 'the device gone');
    sender.send(...['a', 'b', 'c', 'd', 'e'].map((text, n) => publish(COMMAND, 1, n + 1, text)));
    await until(() => sender.of('puback').length === 5, 'all acknowledged');
    const back = await h.login('d1', { clean: false });
    await until(() => back.of('publish').length === 3, 'the queue');
    expect(payloads(back)).toEqual(['c', 'd', 'e']);
    expect(h.broker.health()[0]!.figures.dropped).toBe(2);
    for (const client of [sender, back]) client.end();
  });

  it('queues one copy for overlapping filters', async () => {
    h = await startBroker({ state, open: true });
    const device = await h.login('d1', { clean: false });
    await device.subscribe(COMMAND, 'smartfire/v1/d1/#', 'smartfire/v1/+/command');
    const sender = await h.login('centre');
    sender.send(publish(COMMAND, 1, 1, 'live'));
    await until(() => device.of('publish').length === 1, 'the live one');
    device.send({ cmd: 'puback', messageId: device.ids('publish')[0]! });
    await device.ping();
    device.end();
    await until(() => h!.broker.health()[0]!.figures.connections === 1, 'the device gone');
    sender.send(publish(COMMAND, 1, 2, 'queued'));
    await until(() => sender.of('puback').length === 2, 'PUBACK');
    const back = await h.login('d1', { clean: false });
    await until(() => back.of('publish').length > 0, 'the queued one');
    await back.ping();
    expect(payloads(back)).toEqual(['queued']);
    for (const client of [sender, back]) client.end();
  });

  it('is forgotten after its life, and with the device', async () => {
    h = await startBroker({ state, config: { MQTT_SESSION_DAYS: 2 } });
    for (const id of ['d1', 'd2']) {
      const device = await h.login(id, { clean: false });
      await device.subscribe(`smartfire/v1/${id}/command`);
      device.send({ cmd: 'disconnect' });
      await until(() => device.closed, 'it gone');
    }
    h.registry.remove({ entity: 'device', id: 'd2' });
    h.broker.disconnect('d2');
    h.registry.putDevice({ ...testRegistry().devices.get('d2')! });
    expect((await h.login('d2', { clean: false })).sessionPresent).toBe(false);
    await h.clock.advanceInSteps(47 * 3_600_000, 3_600_000);
    const inTime = await h.login('d1', { clean: false });
    expect(inTime.sessionPresent).toBe(true);
    inTime.send({ cmd: 'disconnect' });
    await until(() => inTime.closed, 'it gone');
    await h.clock.advanceInSteps(50 * 3_600_000, 3_600_000);
    expect((await h.login('d1', { clean: false })).sessionPresent).toBe(false);
  });

  it('goes on in memory while the state store is away, says so, and is saved when it is back', async () => {
    const { transaction } = state;
    let away = true;
    state.transaction = (work) => (away ? Promise.reject(new Error('disk full')) : transaction(work));
    h = await startBroker({ state });
    const device = await h.login('d1', { clean: false });
    await device.subscribe(STATE);
    await h.clock.advanceInSteps(200);
    await until(() => h!.broker.health()[0]!.level === 'degraded', 'degraded');
    device.end();
    const again = await h.login('d1', { clean: false });
    expect(again.sessionPresent).toBe(true);
    away = false;
    await h.clock.advanceInSteps(6000);
    await until(() => h!.broker.health()[0]!.level === 'ok', 'healthy again');
    expect(await state.db.selectFrom('mqtt_session').selectAll().execute()).toHaveLength(1);
    again.end();
  });

  it('leaves no will behind when it is stopped', async () => {
    h = await startBroker({ state });
    const will = { topic: STATE, payload: '{"online":false}', qos: 1 as const };
    const device = await h.login('d1', { will });
    await h.clock.advanceInSteps(200);
    const stored = () => state.db.selectFrom('mqtt_will').selectAll().execute();
    for (let tries = 0; (await stored()).length === 0 && tries < 500; tries++) await device.ping();
    expect(await stored()).toMatchObject([{ client: 'd1/c' }]);
    await h.broker.stop();
    expect(await stored()).toEqual([]);
    expect(h.intake.messages).toEqual([]);
  });

  it('publishes the wills of a broker that was killed, for devices that have not come back', async () => {
    h = await startBroker({ state });
    const will = (n: number) => ({ topic: `smartfire/v1/d${n}/state`, payload: '{"online":false}', qos: 1 as const });
    for (const n of [1, 2]) await h.login(`d${n}`, { will: will(n) });
    await h.clock.advanceInSteps(200);
    const stored = () => state.db.selectFrom('mqtt_will').selectAll().execute();
    let rows = await stored();
    for (let tries = 0; rows.length < 2 && tries < 500; tries++) rows = await stored();
    await h.stop();
    // As a kill leaves them.
    await state.db.insertInto('mqtt_will').values(rows).execute();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      h = await startBroker({ state });
      const back = await h.login('d2', { will: will(2) });
      vi.advanceTimersByTime(5 * 60_000);
      await until(() => h!.intake.messages.length > 0, 'the claim');
      await back.ping();
      expect(h.intake.messages).toMatchObject([{ device: 'd1', channel: 'state' }]);
      expect(h.log).toEqual([]);
      back.end();
    } finally {
      vi.useRealTimers();
    }
  });

  it('stops the start with a sentence when a row has an unknown format', async () => {
    await state.db
      .insertInto('mqtt_retained')
      .values({ topic: STATE, packet: Buffer.from([9, 0, 0, 0, 0]), updated_at: 0 })
      .execute();
    await expect(startBroker({ state })).rejects.toMatchObject({ code: 'FIRE_FORMAT_UNKNOWN' });
  });
});
