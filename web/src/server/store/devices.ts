import type { Device, RegisteredDevice, Registry } from '@smart-fire/core';
import type { DeviceTable, StateStore } from '@smart-fire/core/node';
import { randomSecret, secretHash } from '../access/secret.ts';
import type { Trx } from '../deps.ts';
import { noun } from '../words.ts';
import { inOurWords } from './constraint.ts';

interface Store {
  state: StateStore;
  registry: Registry;
}

export type StoredDevice = Device & { secretHash: string };

/** 144 random bits; stored as a plain SHA-256, because ten thousand devices log in at once after a power cut. */
export function newDeviceSecret(): { secret: string; secretHash: string } {
  const secret = randomSecret(18);
  return { secret, secretHash: secretHash(secret) };
}

export function deviceRow(device: StoredDevice): DeviceTable {
  const { id, kind, name, site, zone, gateway, location } = device;
  return {
    ...{ id, kind, name, site, zone, gateway, location },
    disabled: device.disabled ? 1 : 0,
    secret_hash: device.secretHash,
    created_at: device.createdAt,
  };
}

/** Every write: one transaction with its audit row (never the secret), then the registry. */
export const devices = {
  async put(
    store: Store,
    actor: string,
    device: StoredDevice,
    verb: 'create' | 'update' | 'rotate-secret',
  ): Promise<RegisteredDevice> {
    const row = deviceRow(device);
    const { secret_hash: _, ...fields } = row;
    await write(store, actor, `device.${verb}`, device.id, { ...fields, path: pathOf(store, device) }, async (trx) => {
      if (verb === 'create') await trx.insertInto('device').values(row).execute();
      else await trx.updateTable('device').set(row).where('id', '=', device.id).execute();
    });
    return store.registry.putDevice(device);
  },

  async remove(store: Store, actor: string, device: RegisteredDevice): Promise<void> {
    const { id, kind, name, site, path } = device;
    await write(store, actor, 'device.delete', id, { kind, name, site, path }, async (trx) => {
      await trx.deleteFrom('device').where('id', '=', id).execute();
    });
    store.registry.remove({ entity: 'device', id });
  },
};

function pathOf({ registry }: Store, device: Device): string {
  return registry.sites.get(device.site)?.path ?? '';
}

function write(
  { state }: Store,
  actor: string,
  action: string,
  id: string,
  detail: Record<string, unknown>,
  work: (trx: Trx) => Promise<void>,
): Promise<void> {
  const transaction = state.transaction(async (trx) => {
    await work(trx);
    await state.audit(trx, { actor, action, subject: `device:${id}`, detail });
  });
  return inOurWords(noun('device', id), transaction);
}
