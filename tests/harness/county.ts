import type { Area, Site } from '@smart-fire/core';
import { Api } from './api.ts';

export const PASSWORD = 'correct horse battery';

export interface County {
  /** The administrator's. */
  admin: Api;
  area: Area;
  site: Site;
  /** Logged in, over the whole county. */
  operator(username: string): Promise<Api>;
}

/** A new platform set up as its administrator would: by the token of the set-up link, then one area and one site. */
export async function setUpCounty(url: string, setupToken: string | null): Promise<County> {
  if (!setupToken) throw new Error('the server printed no set-up link');
  const admin = await new Api(url).setUp(setupToken, { username: 'root', name: 'Administrator', password: PASSWORD });
  const area = await admin.addArea('East County');
  const site = await admin.addSite(area.id, 'Grain Store');
  return {
    admin,
    area,
    site,
    async operator(username) {
      await admin.addPerson('operator', username, PASSWORD);
      return new Api(url).logIn(username, PASSWORD);
    },
  };
}
