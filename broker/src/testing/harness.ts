import { createHash } from 'node:crypto';
import { type Clock, type InboundMessage, type Intake, Registry, type Waiter } from '@smart-fire/core';
import {
  configSchema,
  createLog,
  MetricsRegistry,
  openState,
  type StateStore,
  systemClock,
} from '@smart-fire/core/node';
import { FakeClock } from '@smart-fire/core/testing';
import { type Broker, type BrokerDeps, createBroker } from '../broker.ts';
import { type Login, RawClient } from './raw-client.ts';

/** An intake that keeps what it is given and commits when told, or at once. */
class TestIntake implements Intake {
  accepting = true;
  /** While true, nothing is committed until `commit`. */
  holding = false;
  readonly messages: (InboundMessage & { payload: Buffer })[] = [];
  readonly presences: { device: string; online: boolean; reason: string }[] = [];
  readonly refused: { device: string | null; topic: string; reason: string }[] = [];
  readonly open: ((error: Error | null) => void)[] = [];

  accept(message: InboundMessage, waiter: Waiter): void {
    const done = (error: Error | null) => waiter.settled(error);
    // A copy: the message is the caller's again when this returns.
    this.messages.push({ ...message, payload: Buffer.from(message.bytes.subarray(message.from, message.to)) });
    if (this.holding) this.open.push(done);
    else setImmediate(done, null);
  }

  commit(error: Error | null = null): void {
    for (const done of this.open.splice(0)) done(error);
  }

  presence(device: string, online: boolean, reason: string): void {
    this.presences.push({ device, online, reason });
  }

  refuse(device: string | null, topic: string, reason: string): void {
    this.refused.push({ device, topic, reason });
  }
}

export interface Harness {
  broker: Broker;
  intake: TestIntake;
  registry: Registry;
  clock: FakeClock;
  metrics: MetricsRegistry;
  log: { line: string }[];
  port: number;
  /** Logs a registered device in; its secret is `secret-of-{id}`. */
  login(device: string, login?: Login): ReturnType<typeof RawClient.login>;
  refusals(reason: string): Promise<number>;
  stop(): Promise<void>;
}

/** Devices `d1`, `d2`, a gateway `gw` carrying `child1` and `child2`, and `off`, which is disabled. */
export function testRegistry(): Registry {
  const registry = new Registry();
  const add = (id: string, gateway: string | null = null, disabled = false): void => {
    const secretHash = createHash('sha256').update(`secret-of-${id}`).digest('hex');
    const rest = { kind: 'smoke-detector', name: id, site: 's', zone: null, location: '', createdAt: 0 };
    registry.putDevice({ id, gateway, disabled, secretHash, ...rest });
  };
  for (const id of ['d1', 'd2', 'gw']) add(id);
  for (const id of ['child1', 'child2']) add(id, 'gw');
  add('off', null, true);
  return registry;
}

export type HarnessOptions = Partial<Pick<BrokerDeps, 'open' | 'tls' | 'registry'>> & {
  state?: StateStore;
  config?: Record<string, unknown>;
};

export async function startBroker(options: HarnessOptions = {}): Promise<Harness> {
  const { state: given, config, ...rest } = options;
  const state = given ?? (await openState('sqlite::memory:', { dataDir: '.', clock: systemClock }));
  const intake = new TestIntake();
  const clock = new FakeClock();
  const registry = options.registry ?? testRegistry();
  const metrics = new MetricsRegistry();
  const log = createLog('silent');
  const lines: { line: string }[] = [];
  log.level = 'warn';
  log.warn = ((_fields: object, line: string) => void lines.push({ ..._fields, line })) as typeof log.warn;
  log.error = ((_fields: object, line: string) => void lines.push({ ..._fields, line })) as typeof log.error;
  const broker = createBroker({
    intake,
    registry,
    state,
    config: configSchema.parse({
      MQTT_PORT: 0,
      MQTTS_PORT: 0,
      MQTT_FAST_PATH: process.env.MQTT_FAST_PATH ?? 'on',
      ...config,
    }),
    tls: null,
    clock: clock as Clock,
    log,
    metrics,
    ...rest,
  });
  await broker.start();
  const port = broker.address().mqtt;
  return {
    broker,
    intake,
    registry,
    clock,
    metrics,
    log: lines,
    port,
    login: (device, login = {}) => RawClient.login(port, { user: device, password: `secret-of-${device}`, ...login }),
    refusals: async (reason) => {
      const metric = await metrics.getSingleMetric('smartfire_mqtt_refusals_total')?.get();
      return metric?.values.find((value) => value.labels.reason === reason)?.value ?? 0;
    },
    stop: async () => {
      await broker.stop();
      if (!given) await state.close();
    },
  };
}
