import type { Clock } from '@smart-fire/core';
import { DEMO_COUNTY } from './demo-county.ts';
import { createFleet } from './fleet.ts';
import { parseScenario } from './scenario.ts';

/** What happens in the demo: a fire within half a minute, then a leak, an overload and a lost gateway (seconds after the start). */
const TIMELINE = {
  name: 'demo',
  zh: '演示剧本',
  en: 'Script of the demo',
  timeline: [
    {
      at: 15,
      for: 420,
      select: { by: 'zone', match: 'demo-hotel-1-f1' },
      disturbance: { fireKw: { growth: 0.1876, max: 1500 }, flaming: 1 },
    },
    {
      at: 90,
      for: 900,
      select: { by: 'device', match: 'demo-school-2-yard-hydrant-pressure-1' },
      disturbance: { pressureLoss: 0.7 },
    },
    {
      at: 150,
      for: 1200,
      select: { by: 'zone', match: 'demo-market-3-power' },
      disturbance: { overload: { from: 1, to: 1.8 }, arcing: 20 },
    },
    { at: 240, for: 600, select: { by: 'gateway', match: 'demo-workshop-4-gw' }, offline: true },
  ],
  promises: [{ kind: 'smoke-detector', comes: 'fire', within: 60 }],
};

export interface DemoOptions {
  host: string;
  port: number;
  /** Secrets of the demo county's devices, as provisioning gave them. */
  devices: readonly { id: string; secret: string }[];
  clock: Clock;
}

/** The demo county comes to life. Resolves at once; connecting goes on behind. */
export async function runDemo({ host, port, devices, clock }: DemoOptions): Promise<{ stop(): Promise<void> }> {
  const secrets = new Map(devices.map((device) => [device.id, device.secret]));
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const fleet = createFleet({
    url: `mqtt://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`,
    devices: DEMO_COUNTY.devices.map((device) => ({ ...device, secret: secrets.get(device.id) ?? null })),
    connections: 'gateways',
    speed: 1,
    scenarios: [parseScenario(JSON.stringify(TIMELINE), 'demo')],
    drop: 0.002,
    redeliver: 0.005,
    persistent: false,
    seed: 1,
    historyHours: 6,
    clock,
    say: () => undefined,
  });
  await fleet.start();
  return fleet;
}
