import { mkdirSync } from 'node:fs';
import { Registry } from '@smart-fire/core';
import { openState, systemClock } from '@smart-fire/core/node';
import { createPerson, provision } from '@smart-fire/web';
import { CHILD_KIND, type FleetGateway, GATEWAY_KIND } from '../fleet.ts';

export const PASSWORD = 'a password of the bench';

/** A data folder with an administrator `bench` and these devices, before the platform starts. Fills in the gateways' secrets; those of the children are the result, by id. */
export async function provisionCentre(
  dataDir: string,
  gateways: readonly FleetGateway[],
): Promise<Map<string, string>> {
  mkdirSync(dataDir, { recursive: true });
  const state = await openState('sqlite:state.db', { dataDir, clock: systemClock });
  try {
    await createPerson(state, {
      ...{ username: 'bench', name: 'bench', role: 'administrator', scope: '/', password: PASSWORD },
    });
    const sites = gateways.map(({ id }) => ({ id: `site-${id}`, area: 'bench', name: id }));
    const devices = await provision(state, new Registry(), {
      areas: [{ id: 'bench', parent: null, level: 'city', name: 'bench' }],
      sites,
      devices: [
        ...gateways.map(({ id }) => ({ id, kind: GATEWAY_KIND, site: `site-${id}` })),
        ...gateways.flatMap(({ id, children }) =>
          children.map((child) => ({ id: child, kind: CHILD_KIND, site: `site-${id}`, gateway: id })),
        ),
      ],
    });
    const secrets = new Map(devices.map(({ id, secret }) => [id, secret]));
    for (const gateway of gateways) gateway.secret = secrets.get(gateway.id)!;
    return secrets;
  } finally {
    await state.close();
  }
}
