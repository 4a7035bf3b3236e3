import type { Alarm, HealthItem, Site } from '@smart-fire/core';
import { Api, type Page } from './api.ts';
import type { DeviceLogin, ReadingsByDevice } from './durable-load.ts';
import { SmartFireServer } from './server.ts';
import { until } from './until.ts';

export const PASSWORD = 'correct horse battery staple';

/** A platform with its administrator, one area and one site. */
export interface Centre {
  admin: Api;
  site: Site;
  /** Logged in, over the whole centre. */
  addOperator(username: string): Promise<Api>;
}

/** One that we run ourselves, with an operator and smoke detectors that may log in. */
export interface RunningCentre extends Centre {
  server: SmartFireServer;
  operator: Api;
  devices: DeviceLogin[];
  /** All temperatures stored, once the readings writer has caught up; fails on a reading stored twice. */
  storedReadings(): Promise<ReadingsByDevice>;
  fireAlarms(): Promise<Alarm[]>;
  health(part: string): Promise<HealthItem | undefined>;
  remove(): Promise<void>;
}

/** Set up as its administrator would: by the token of the set-up link, then one area and one site. */
export async function setUpCentre(url: string, setupToken: string | null): Promise<Centre> {
  if (!setupToken) throw new Error('the server printed no set-up link');
  const admin = await new Api(url).setUp(setupToken, { username: 'root', name: 'Administrator', password: PASSWORD });
  const area = await admin.addArea('East County');
  return {
    admin,
    site: await admin.addSite(area.id, 'Grain Store'),
    async addOperator(username) {
      await admin.addPerson('operator', username, PASSWORD);
      return new Api(url).logIn(username, PASSWORD);
    },
  };
}

export async function startCentre({
  devices: count,
  env = {},
}: {
  devices: number;
  env?: Record<string, string>;
}): Promise<RunningCentre> {
  const server = await SmartFireServer.launch(env);
  const centre = await setUpCentre(server.url, server.setupToken);
  const { admin, site } = centre;
  const operator = await centre.addOperator('operator');
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
    ...centre,
    server,
    operator,
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
