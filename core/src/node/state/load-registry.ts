import type { Kysely, Selectable } from 'kysely';
import { z } from 'zod';
import { AREA_LEVELS, type Area, type Contact, type Device, type Site } from '../../model/place.ts';
import type { Registry } from '../../registry.ts';
import type { AreaTable, DeviceTable, SiteTable, StateTables } from './tables.ts';

const contacts = z.array(z.object({ name: z.string(), post: z.string(), telephone: z.string() }));
const level = z.enum(AREA_LEVELS);

export function areaFromRow(row: Selectable<AreaTable>): Area {
  return { ...row, level: level.parse(row.level) };
}

export function siteFromRow(row: Selectable<SiteTable>): Site {
  return { ...row, contacts: contacts.parse(JSON.parse(row.contacts)) satisfies Contact[] };
}

export function deviceFromRow(row: Selectable<DeviceTable>): Device & { secretHash: string } {
  const { secret_hash, created_at, disabled, ...rest } = row;
  return { ...rest, disabled: disabled !== 0, secretHash: secret_hash, createdAt: created_at };
}

/** Fill the registry from the state store: areas, sites and zones before the devices that hang in them. */
export async function loadRegistry(db: Kysely<StateTables>, registry: Registry): Promise<void> {
  for (const row of await db.selectFrom('area').selectAll().execute()) registry.putArea(areaFromRow(row));
  for (const row of await db.selectFrom('site').selectAll().execute()) registry.putSite(siteFromRow(row));
  for (const row of await db.selectFrom('zone').selectAll().execute()) registry.putZone(row);
  for (const row of await db.selectFrom('device').selectAll().orderBy('created_at').execute())
    registry.putDevice(deviceFromRow(row));
}
