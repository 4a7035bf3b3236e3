import type { Alarm, HealthItem } from '@smart-fire/core';
import { Api, type Page } from './api.ts';
import type { DeviceLogin, ReadingsByDevice } from './durable-load.ts';
import { SmartFireServer } from './server.ts';
import { until } from './until.ts';

const PASSWORD = 'correct horse battery staple';

/** A running platform with an administrator, an operator, one site and smoke detectors that may log in. */
export interface Centre {
  server: SmartFireServer;
  admin: Api;
  operator: Api;
  site: string;
  devices: DeviceLogin[];
  /** Everything stored of one metric (temperature when left out), once the readings writer has caught up; fails on a reading stored twice. */
  storedReadings(): Promise<ReadingsByDevice>;
  fireAlarms(): Promise<Alarm[]>;
  health(part: string): Promise<HealthItem | undefined>;
  remove(): Promise<void>;
}

export async function startCentre({
  devices: count,
  env = {},
}: {
  devices: number;
  env?: Record<string, string>;
}): Promise<Centre> {
  const server = await SmartFireServer.launch(env);
  const admin = await new Api(server.url).setUp(server.setupToken!, {
    username: 'admin',
    name: 'admin',
    password: PASSWORD,
  });
  await admin.addPerson('operator', 'operator', PASSWORD);
  const operator = await new Api(server.url).logIn('operator', PASSWORD);
  const area = await admin.addArea('centre');
  const site = await admin.addSite(area.id, 'site');
  const devices: DeviceLogin[] = [];
  for (let i = 0; i < count; i++) {
    const id = `smoke-${i}`;
    const { secret } = await admin.addDevice(site.id, 'smoke-detector', id);
    devices.push({ id, secret });
  }
  const since = Date.now() - 60_000;
  const health = async (part: string) =>
    (await operator.get<Page<HealthItem>>('health')).items.find((item) => item.part === part);

  async function readingsOf(device: string): Promise<Map<number, number>> {
    const found = new Map<number, number>();
    let cursor: string | null = null;
    do {
      const page: { points: [number, number][]; next: string | null } = await operator.get(
        `devices/${device}/readings?metric=temperature&from=${since}&to=${Date.now() + 600_000}&limit=1000${cursor ? `&cursor=${cursor}` : ''}`,
      );
      for (const [time, value] of page.points) {
        if (found.has(time)) throw new Error(`${device} has two readings at ${time}`);
        found.set(time, value);
      }
      cursor = page.next;
    } while (cursor);
    return found;
  }

  return {
    server,
    admin,
    operator,
    site: site.id,
    devices,
    async storedReadings() {
      await until(
        'the readings writer has caught up',
        async () => (await health('readings'))?.figures.lagEntries === 0,
      );
      const stored: ReadingsByDevice = new Map();
      for (const { id } of devices) stored.set(id, await readingsOf(id));
      return stored;
    },
    async fireAlarms() {
      return (await operator.get<Page<Alarm>>('alarms?class=fire&limit=1000')).items;
    },
    health,
    remove: () => server.remove(),
  };
}
