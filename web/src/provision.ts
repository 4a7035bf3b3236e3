import type { Area, Contact, Device, Registry } from '@smart-fire/core';
import { type StateStore, systemClock } from '@smart-fire/core/node';
import type { Trx } from './server/deps.ts';
import { deviceRow, newDeviceSecret } from './server/store/devices.ts';
import { placeRows } from './server/store/places.ts';

/** Places and devices to make at once; parents before their children. What exists already (by id) stays as it is. */
export interface Provision {
  areas?: readonly (Pick<Area, 'id' | 'parent' | 'level' | 'name'> & { code?: string | null })[];
  sites?: readonly { id: string; area: string; name: string; address?: string; contacts?: readonly Contact[] }[];
  zones?: readonly { id: string; site: string; name: string }[];
  /** Gateways before the devices behind them. */
  devices?: readonly (Pick<Device, 'id' | 'kind' | 'site'> &
    Partial<Pick<Device, 'name' | 'zone' | 'gateway' | 'location'>>)[];
}

export interface ProvisionedDevice {
  id: string;
  kind: string;
  gateway: string | null;
  /** A new one, also for a device that existed. */
  secret: string;
}

/** Rows per INSERT: a row of devices has ten columns, SQLite takes 32,766 values. */
const STEP = 1000;

/** Make a whole county in one transaction (10,000 devices in a second or two), with one audit row, and register it. */
export async function provision(
  state: StateStore,
  registry: Registry,
  { areas = [], sites = [], zones = [], devices = [] }: Provision,
  now = systemClock.now(),
): Promise<ProvisionedDevice[]> {
  const paths = new Map<string, string>();
  for (const { id, path } of [...registry.areas.values(), ...registry.sites.values()]) paths.set(id, path);
  const place = <T extends { id: string }>(item: T, parent: string | null) => {
    const above = parent === null ? '/' : paths.get(parent);
    if (above === undefined) throw new Error(`${item.id}: there is no ${parent}`);
    const path = `${above}${item.id}/`;
    paths.set(item.id, path);
    return { ...item, path };
  };
  const newAreas = areas
    .filter(({ id }) => !registry.areas.has(id))
    .map((area) => place({ ...area, code: area.code ?? null }, area.parent));
  const newSites = sites
    .filter(({ id }) => !registry.sites.has(id))
    .map((site) => place({ ...site, address: site.address ?? '', contacts: [...(site.contacts ?? [])] }, site.area));
  const newZones = zones.filter(({ id }) => !registry.zones.has(id));
  const secrets = new Map<string, string>();
  const rows = devices.map((device) => {
    const { secret, secretHash } = newDeviceSecret();
    secrets.set(device.id, secret);
    const before = registry.devices.get(device.id);
    if (before) return { ...before, secretHash };
    const { id, kind, site, name = id, zone = null, gateway = null, location = '' } = device;
    return { id, kind, site, name, zone, gateway, location, disabled: false, createdAt: now, secretHash };
  });

  await state.transaction(async (trx) => {
    await insert(newAreas.map(placeRows.area), (values) => trx.insertInto('area').values(values).execute());
    await insert(newSites.map(placeRows.site), (values) => trx.insertInto('site').values(values).execute());
    await insert(newZones.map(placeRows.zone), (values) => trx.insertInto('zone').values(values).execute());
    await insert(rows.map(deviceRow), (values) =>
      trx
        .insertInto('device')
        .values(values)
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet((set) => ({ secret_hash: set.ref('excluded.secret_hash') })),
        )
        .execute(),
    );
    await auditOnce(state, trx, {
      areas: newAreas.length,
      sites: newSites.length,
      zones: newZones.length,
      devices: rows.length,
    });
  });
  for (const area of newAreas) registry.putArea(area);
  for (const site of newSites) registry.putSite(site);
  for (const zone of newZones) registry.putZone(zone);
  for (const device of rows) registry.putDevice(device);
  return rows.map(({ id, kind, gateway }) => ({ id, kind, gateway, secret: secrets.get(id)! }));
}

async function insert<T>(rows: T[], write: (some: T[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < rows.length; start += STEP) await write(rows.slice(start, start + STEP));
}

function auditOnce(state: StateStore, trx: Trx, counts: Record<string, number>): Promise<void> {
  return state.audit(trx, {
    actor: 'system',
    action: 'provision',
    subject: 'tree:/',
    detail: { ...counts, path: '/' },
  });
}
