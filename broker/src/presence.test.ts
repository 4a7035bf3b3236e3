import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Harness, startBroker } from './testing/harness.ts';
import { publish, until } from './testing/raw-client.ts';

const STATE = 'smartfire/v1/d1/state';
const will = { topic: STATE, payload: '{"online":false}', qos: 1 as const, retain: true };
let h: Harness;
beforeEach(async () => {
  h = await startBroker();
});
afterEach(() => h.stop());

const claims = () =>
  h.intake.messages.filter((message) => message.channel === 'state').map(({ payload }) => `${payload}`);

describe('presence', () => {
  it('is what the broker saw: connected once, disconnected when the last connection is gone', async () => {
    const first = await h.login('d1', { clientId: 'a' });
    const second = await h.login('d1', { clientId: 'b' });
    first.end();
    await until(() => h.broker.health()[0]!.figures.connections === 1, 'the first gone');
    expect(h.intake.presences).toEqual([{ device: 'd1', online: true, reason: 'connected' }]);
    second.send({ cmd: 'disconnect' });
    await until(() => h.intake.presences.length === 2, 'the second gone');
    expect(h.intake.presences[1]).toEqual({ device: 'd1', online: false, reason: 'disconnected' });
  });

  it('hands the will of a lost device to the intake as its claim', async () => {
    const device = await h.login('d1', { will });
    device.end();
    await until(() => claims().length === 1, 'the claim');
    expect(h.intake.messages[0]).toMatchObject({ device: 'd1', topic: STATE, dup: false, packetId: 0 });
    const later = await h.login('d1');
    await later.subscribe(STATE);
    await until(() => later.of('publish').length === 1, 'the retained claim');
    later.end();
  });

  it('says nothing for a device that said goodbye', async () => {
    const device = await h.login('d1', { will });
    device.send({ cmd: 'disconnect' });
    await until(() => h.intake.presences.length === 2, 'it gone');
    await (await h.login('d2')).ping();
    expect(claims()).toEqual([]);
  });

  it('stays online through a take-over, and the former will changes nothing while the new one stands', async () => {
    const former = await h.login('d1', { will });
    const newer = await h.login('d1', { will: { ...will, payload: '{"online":false,"n":2}' } });
    await until(() => former.closed, 'the former closed');
    await newer.ping();
    expect(h.intake.presences).toEqual([
      { device: 'd1', online: true, reason: 'connected' },
      { device: 'd1', online: true, reason: 'taken-over' },
    ]);
    expect(claims()).toEqual([]);
    newer.end();
    await until(() => claims().length === 1, 'the newer claim');
    expect(claims()).toEqual(['{"online":false,"n":2}']);
  });

  it('is "stopped" when we stop, and no will changes anything', async () => {
    const device = await h.login('d1', { will });
    await h.broker.stop();
    await until(() => device.closed, 'the connection closed');
    expect(h.intake.presences.at(-1)).toEqual({ device: 'd1', online: false, reason: 'stopped' });
    expect(claims()).toEqual([]);
    expect(h.clock.timers).toBe(0);
  });

  it('refuses a CONNECT whose will is on a foreign topic', async () => {
    const device = await h.login('d1', { will: { ...will, topic: 'smartfire/v1/d2/state' } });
    expect(device.code).toBe(5);
    expect(h.intake.refused).toEqual([{ device: 'd1', topic: 'smartfire/v1/d2/state', reason: 'foreign-topic' }]);
    expect(claims()).toEqual([]);
  });

  it('drops a will whose right was lost meanwhile, without an error', async () => {
    const gateway = await h.login('gw', { will: { ...will, topic: 'smartfire/v1/child1/state' } });
    h.registry.putDevice({ ...h.registry.devices.get('child1')!, gateway: null });
    gateway.end();
    await until(() => h.intake.presences.length === 2, 'it gone');
    await (await h.login('d2')).ping();
    expect(claims()).toEqual([]);
    expect(h.log).toEqual([]);
  });

  it('keeps another user from a session by its client id', async () => {
    const victim = await h.login('d1', { clientId: 'same', clean: false });
    await victim.subscribe('smartfire/v1/d1/state');
    victim.send({ cmd: 'disconnect' });
    await until(() => h.intake.presences.length === 2, 'the victim gone');
    const other = await h.login('d1', { clientId: 'other' });
    other.send(publish(STATE, 1, 1, '{"online":true}'));
    await until(() => other.of('puback').length === 1, 'PUBACK');
    const thief = await h.login('d2', { clientId: 'same', clean: false });
    expect(thief.sessionPresent).toBe(false);
    await thief.ping();
    expect(thief.of('publish')).toEqual([]);
    const back = await h.login('d1', { clientId: 'same', clean: false });
    expect(back.sessionPresent).toBe(true);
    await until(() => back.of('publish').length === 1, 'the queued state');
    expect(thief.closed).toBe(false);
    for (const client of [other, thief, back]) client.end();
  });

  it('lets the oldest of too many connections of one device give way', async () => {
    const clients: Awaited<ReturnType<Harness['login']>>[] = [];
    for (let n = 0; n < 9; n++) clients.push(await h.login('d1', { clientId: `c${n}` }));
    await until(() => clients[0]!.closed, 'the oldest closed');
    await clients[8]!.ping();
    expect(clients.filter((client) => client.closed)).toHaveLength(1);
    expect(h.intake.presences).toHaveLength(1);
  });
});
