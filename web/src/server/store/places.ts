import type { Area, Registry, Site, Zone } from '@smart-fire/core';
import type { StateStore } from '@smart-fire/core/node';
import type { Trx } from '../deps.ts';
import { noun } from '../words.ts';
import { inOurWords } from './constraint.ts';

interface Store {
  state: StateStore;
  registry: Registry;
}

type Verb = 'create' | 'update' | 'delete';

/** Rows of areas, sites and zones: what an INSERT takes. */
export const placeRows = {
  area: ({ id, parent, level, name, code, path }: Area) => ({ id, parent, level, name, code, path }),
  site: ({ id, area, name, address, contacts, path }: Site) => ({
    ...{ id, area, name, address, path },
    contacts: JSON.stringify(contacts),
  }),
  zone: ({ id, site, name }: Zone) => ({ id, site, name }),
};

/** Every write: one transaction with its audit row, then the registry. */
export const places = {
  async putArea(store: Store, actor: string, area: Area, verb: 'create' | 'update'): Promise<void> {
    const row = placeRows.area(area);
    await write(store, actor, verb, 'area', area.id, row, area.path, async (trx) => {
      if (verb === 'create') await trx.insertInto('area').values(row).execute();
      else await trx.updateTable('area').set(row).where('id', '=', area.id).execute();
    });
    store.registry.putArea(area);
  },

  async putSite(store: Store, actor: string, site: Site, verb: 'create' | 'update'): Promise<void> {
    const row = placeRows.site(site);
    await write(store, actor, verb, 'site', site.id, row, site.path, async (trx) => {
      if (verb === 'create') await trx.insertInto('site').values(row).execute();
      else await trx.updateTable('site').set(row).where('id', '=', site.id).execute();
    });
    store.registry.putSite(site);
  },

  async putZone(store: Store, actor: string, zone: Zone, path: string, verb: 'create' | 'update'): Promise<void> {
    const row = placeRows.zone(zone);
    await write(store, actor, verb, 'zone', zone.id, row, path, async (trx) => {
      if (verb === 'create') await trx.insertInto('zone').values(row).execute();
      else await trx.updateTable('zone').set(row).where('id', '=', zone.id).execute();
    });
    store.registry.putZone(zone);
  },

  async remove(store: Store, actor: string, entity: 'area' | 'site' | 'zone', id: string, path: string): Promise<void> {
    await write(store, actor, 'delete', entity, id, {}, path, async (trx) => {
      await trx.deleteFrom(entity).where('id', '=', id).execute();
    });
    store.registry.remove({ entity, id });
  },
};

function write(
  { state }: Store,
  actor: string,
  verb: Verb,
  entity: 'area' | 'site' | 'zone',
  id: string,
  fields: object,
  path: string,
  work: (trx: Trx) => Promise<void>,
): Promise<void> {
  const transaction = state.transaction(async (trx) => {
    await work(trx);
    const detail = { ...fields, path };
    await state.audit(trx, { actor, action: `${entity}.${verb}`, subject: `${entity}:${id}`, detail });
  });
  return inOurWords(noun(entity, id), transaction);
}
