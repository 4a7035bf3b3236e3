import { afterEach, describe, expect, it, vi } from 'vitest';
import { createLatencies } from './latencies.ts';
import { createLoad, type LoadOptions } from './load.ts';
import { type PlainBroker, startPlainBroker } from './testing/plain-broker.ts';

const devices = [1, 2, 3].map((number) => ({ id: `device-${number}`, secret: `secret ${number}` }));
const brokers: PlainBroker[] = [];

async function startBroker(): Promise<PlainBroker> {
  const broker = await startPlainBroker((username) => devices.find(({ id }) => id === username)?.secret);
  brokers.push(broker);
  return broker;
}

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 15_000, interval: 10 });
const loadOn = (broker: PlainBroker, options: Partial<LoadOptions> = {}) =>
  createLoad({ host: '127.0.0.1', port: broker.port, devices, connections: 3, inFlight: 8, rate: 500, ...options });

afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
});

describe('the load generator', () => {
  it('publishes under its devices by QoS 1, and every acknowledged message was heard with the content it was given', async () => {
    const broker = await startBroker();
    const acknowledged = new Map<number, string>();
    // Payloads on both sides of every length a remaining-length byte can hold.
    const encode = (device: string, seq: number) =>
      JSON.stringify({ device, seq, 内容: '烟'.repeat([0, 10, 100, 6000][seq % 4]!) });
    const load = loadOn(broker, { encode, onAck: (device, seq) => acknowledged.set(seq, device) });
    await load.start();
    await until(() => expect(acknowledged.size).toBeGreaterThan(200));
    const report = await load.stop();
    expect(report).toMatchObject({
      sent: acknowledged.size,
      acknowledged: acknowledged.size,
      inFlight: 0,
      reconnects: 0,
    });
    const heard = new Map(broker.heard.map(({ topic, payload }) => [JSON.parse(payload).seq, { topic, payload }]));
    for (const [seq, device] of acknowledged)
      expect(heard.get(seq)).toEqual({ topic: `smartfire/v1/${device}/telemetry`, payload: encode(device, seq) });
    expect(broker.heard.every(({ qos }) => qos === 1)).toBe(true);
    expect(report.latency.count).toBe(acknowledged.size);
    expect(report.latency.p50).toBeGreaterThan(0);
    expect(report.latency.p99).toBeGreaterThanOrEqual(report.latency.p50);
  });

  it('keeps the pace it is given', async () => {
    const broker = await startBroker();
    const load = loadOn(broker, { rate: 400 });
    await load.start();
    await until(() => expect(load.report().seconds).toBeGreaterThan(1.5));
    const { sent, seconds } = await load.stop();
    expect(sent).toBeLessThanOrEqual(400 * seconds + 1);
    expect(sent).toBeGreaterThan(400 * 1.5 * 0.8);
  });

  it('sends again with DUP what was not acknowledged when the server died, and loses nothing', async () => {
    const broker = await startBroker();
    const acknowledged = new Set<number>();
    const load = loadOn(broker, { rate: null, onAck: (_, seq) => acknowledged.add(seq) });
    await load.start();
    for (let round = 0; round < 3; round += 1) {
      const before = acknowledged.size;
      await until(() => expect(acknowledged.size).toBeGreaterThan(before + 500));
      await broker.cut();
      await until(() => expect(load.report().connected).toBe(0));
      await broker.open();
    }
    await until(() => expect(load.report().connected).toBe(3));
    const report = await load.stop();
    expect(report.reconnects).toBeGreaterThanOrEqual(9);
    expect(report.inFlight).toBe(0);
    expect(acknowledged.size).toBe(report.sent);
    const heard = new Set(broker.heard.map(({ payload }) => JSON.parse(payload).seq));
    for (const seq of acknowledged) expect(heard.has(seq)).toBe(true);
    if (report.resent > 0) expect(broker.heard.some(({ dup }) => dup)).toBe(true);
  });

  it('names the reason when it is refused, and can be ended all the same', async () => {
    const broker = await startBroker();
    const load = loadOn(broker, { devices: [{ id: 'device-1', secret: 'wrong' }], connections: 1 });
    const started = load.start();
    await until(() => expect(load.report().trouble).toMatch(/CONNACK code [45]/));
    await load.stop();
    await started;
    expect(load.report().sent).toBe(0);
  });
});

describe('latencies', () => {
  it('are right within two percent whatever their size', () => {
    const latencies = createLatencies();
    expect(latencies.summary()).toEqual({ count: 0, p50: 0, p99: 0, max: 0 });
    for (let ms = 1; ms <= 1000; ms += 1) latencies.add(ms);
    const { count, p50, p99, max } = latencies.summary();
    expect([count, max]).toEqual([1000, 1000]);
    expect(Math.abs(p50 / 500 - 1)).toBeLessThan(0.03);
    expect(Math.abs(p99 / 990 - 1)).toBeLessThan(0.03);
  });
});
