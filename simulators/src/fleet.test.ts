import { systemClock } from '@smart-fire/core/node';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createCounty } from './demo-county.ts';
import { createFleet, type Fleet, type FleetDevice, type FleetOptions } from './fleet.ts';
import { backoff } from './link.ts';
import { readScenario } from './scenario.ts';
import { type PlainBroker, startPlainBroker } from './testing/plain-broker.ts';

const devices: FleetDevice[] = createCounty(30).devices.map(({ id, kind, zone, gateway }) => ({
  id,
  kind,
  zone,
  gateway,
  secret: `secret of ${id}`,
}));
const GATEWAY = 'demo-hotel-1-gw';
const running: { stop(): Promise<void> }[] = [];
const brokers: PlainBroker[] = [];

async function startBroker(): Promise<PlainBroker> {
  const broker = await startPlainBroker((username) => `secret of ${username}`);
  brokers.push(broker);
  return broker;
}

async function startFleet(broker: PlainBroker, options: Partial<FleetOptions> = {}): Promise<Fleet> {
  const fleet = createFleet({
    url: `mqtt://127.0.0.1:${broker.port}`,
    devices,
    connections: 'gateways',
    speed: 600,
    scenarios: [],
    drop: 0,
    redeliver: 0,
    persistent: false,
    seed: 1,
    historyHours: 0,
    clock: systemClock,
    say: () => undefined,
    ...options,
  });
  running.push(fleet);
  await fleet.start();
  return fleet;
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 15_000, interval: 20 });
const of = (broker: PlainBroker, device: string, channel: string) =>
  broker.heard
    .filter(({ topic }) => topic === `smartfire/v1/${device}/${channel}`)
    .map(({ payload }) => JSON.parse(payload));

afterEach(async () => {
  for (const fleet of running.splice(0)) await fleet.stop();
  for (const broker of brokers.splice(0)) await broker.close();
});

describe('a fleet', () => {
  it('speaks for every device through the connections of its gateways', async () => {
    const broker = await startBroker();
    const fleet = await startFleet(broker);
    await until(() => {
      for (const { id, kind } of devices)
        if (kind !== 'smoke-alarm') expect(of(broker, id, 'telemetry').length, id).toBeGreaterThan(0);
    });
    const carriers = new Set(devices.map(({ id, gateway }) => gateway ?? id));
    expect(new Set(broker.clients())).toEqual(carriers);
    expect(fleet.figures()).toMatchObject({
      devices: 30,
      connections: carriers.size,
      connected: carriers.size,
      failed: 0,
    });
    for (const { topic, client, qos } of broker.heard.filter((message) => message.topic.endsWith('/telemetry'))) {
      const device = devices.find(({ id }) => id === topic.split('/')[2])!;
      expect([client, qos]).toEqual([device.gateway ?? device.id, 1]);
    }
    const numbers = of(broker, GATEWAY, 'telemetry').map(({ seq }) => seq);
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });

  it('gives everybody a connection where that is wanted', async () => {
    const broker = await startBroker();
    await startFleet(broker, { connections: 'each' });
    await until(() => expect(broker.clients()).toHaveLength(devices.length));
  });

  it('comes back with what it could not deliver after the broker was away', async () => {
    const broker = await startBroker();
    const fleet = await startFleet(broker);
    await until(() => expect(of(broker, GATEWAY, 'telemetry').length).toBeGreaterThan(3));
    await broker.cut();
    await until(() => expect(fleet.figures().connected).toBe(0));
    const before = fleet.figures().sent;
    await until(() => expect(fleet.figures().sent).toBeGreaterThan(before + 20));
    await broker.open();
    await until(() => expect(fleet.figures().connected).toBe(fleet.figures().connections));
    await fleet.stop();
    expect(fleet.figures().reconnects).toBeGreaterThan(0);
    // Nothing is missing: some may have come twice.
    const numbers = new Set(of(broker, GATEWAY, 'telemetry').map(({ seq }) => seq));
    expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: numbers.size }, (_, index) => index));
  });

  it('ends by saying that it goes, and leaves no connection behind', async () => {
    const broker = await startBroker();
    const fleet = await startFleet(broker);
    await until(() => expect(fleet.figures().connected).toBe(fleet.figures().connections));
    await fleet.stop();
    await until(() => expect(broker.clients()).toEqual([]));
    for (const carrier of new Set(devices.map(({ id, gateway }) => gateway ?? id))) {
      const claims = of(broker, carrier, 'state');
      expect(claims.at(0)).toEqual({ online: true });
      expect(claims.filter(({ online }) => online === false)).toHaveLength(1);
    }
    const silent = broker.heard.length;
    await fleet.stop();
    expect(broker.heard).toHaveLength(silent);
  });

  it('ends soon even when the broker has gone', async () => {
    const broker = await startBroker();
    const fleet = await startFleet(broker);
    await until(() => expect(fleet.figures().connected).toBe(fleet.figures().connections));
    await broker.cut();
    await fleet.stop();
    expect(fleet.figures().connected).toBe(0);
  });

  it('loses and doubles as many readings as it is told, with the same content', async () => {
    const broker = await startBroker();
    const fleet = await startFleet(broker, { drop: 0.3, redeliver: 0.5, speed: 3000 });
    await until(() => expect(fleet.figures().sent).toBeGreaterThan(600));
    await fleet.stop();
    const { lost, redelivered, sent } = fleet.figures();
    const first = sent - redelivered;
    expect(lost / (lost + first)).toBeGreaterThan(0.2);
    expect(lost / (lost + first)).toBeLessThan(0.4);
    expect(redelivered / first).toBeGreaterThan(0.4);
    expect(redelivered / first).toBeLessThan(0.6);
    const payloads = broker.heard
      .filter(({ topic }) => topic.endsWith('/telemetry'))
      .map(({ topic, payload }) => topic + payload);
    expect(payloads.length - new Set(payloads).size).toBe(redelivered);
  });

  it('says once why it cannot log in, and keeps trying', async () => {
    const broker = await startPlainBroker(() => 'another secret');
    brokers.push(broker);
    const said: string[] = [];
    await startFleet(broker, { devices: devices.slice(0, 3), say: (sentence) => said.push(sentence) });
    await until(() => expect(said.length).toBeGreaterThan(0));
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(/not authorized|bad user/i);
  });

  it('sends its history first, oldest first, with times of its own', async () => {
    const broker = await startBroker();
    await startFleet(broker, { speed: 1, historyHours: 2, devices: devices.slice(0, 4) });
    await until(() => expect(of(broker, GATEWAY, 'telemetry').length).toBeGreaterThanOrEqual(2));
    const history = of(broker, GATEWAY, 'telemetry').filter(Array.isArray).flat();
    expect(history.length).toBeGreaterThan(2 * 120 - 5);
    const times = history.map(({ ts }) => ts);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Date.now() - times[0]).toBeGreaterThan(2 * 3_600_000 - 60_000);
  });
});

describe('a scenario on a fleet', () => {
  it('makes detectors of the burning zone declare a fire, and nobody else', async () => {
    const broker = await startBroker();
    await startFleet(broker, { speed: 20, scenarios: [readScenario('growing-fire')] });
    await until(() => {
      for (const number of [1, 2, 3])
        expect(of(broker, `demo-hotel-1-f1-smoke-detector-${number}`, 'event').map(({ event }) => event)).toContain(
          'fire',
        );
    });
    const burning = broker.heard.filter(({ topic }) => topic.endsWith('/event')).map(({ topic }) => topic);
    for (const topic of burning) expect(topic).toContain('/demo-hotel-1-f1-');
  });

  it('takes the power from a gateway: its will speaks, its children are silent, and it comes back', async () => {
    const broker = await startBroker();
    await startFleet(broker, { speed: 120, scenarios: [readScenario('gateway-loss')] });
    await until(() => expect(of(broker, GATEWAY, 'state').map(({ online }) => online)).toEqual([true, false]));
    const children = new Set(devices.filter(({ gateway }) => gateway === GATEWAY).map(({ id }) => id));
    const heardOf = () => broker.heard.filter(({ topic }) => children.has(topic.split('/')[2]!)).length;
    const silent = heardOf();
    await until(() => expect(of(broker, GATEWAY, 'state')).toHaveLength(3));
    expect(of(broker, GATEWAY, 'state').at(-1)).toEqual({ online: true });
    expect(silent).toBeLessThanOrEqual(heardOf());
    await until(() => expect(heardOf()).toBeGreaterThan(silent));
  });

  it('floods: every device declares its fault within the time given', async () => {
    const broker = await startBroker();
    await startFleet(broker, { speed: 20, scenarios: [readScenario('alarm-flood')] });
    await until(() => {
      for (const { id } of devices) expect(of(broker, id, 'event').map(({ event }) => event)).toContain('fault');
    });
  });
});

describe('backoff', () => {
  it('doubles up to a minute and is never the same for a whole fleet', () => {
    for (let failures = 0; failures < 40; failures += 1) {
      const ceiling = Math.min(60_000, 500 * 2 ** Math.min(failures, 10));
      expect(backoff(failures, () => 0)).toBe(ceiling / 2);
      expect(backoff(failures, () => 0.999)).toBeLessThan(ceiling);
    }
  });
});
