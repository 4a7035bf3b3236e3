import type { Area, Device, Site, Zone } from './model/place.ts';

/** A device as everything at run time sees it. `index` is dense, stable for the life of the process. */
export interface RegisteredDevice extends Device {
  index: number;
  secretHash: string;
  /** `/area/…/site/`: what permissions are checked against. */
  path: string;
}

/** What changed, for those who hold something derived from it. */
export type RegistryChange =
  | { entity: 'area'; id: string }
  | { entity: 'site'; id: string }
  | { entity: 'zone'; id: string }
  | { entity: 'device'; id: string };

/**
 * The areas, sites, zones and devices in memory, mirrored from the state store: look-ups on the path of a reading never touch a database.
 * Written by whoever changed the store, after the transaction.
 */
export class Registry {
  readonly areas = new Map<string, Area>();
  readonly sites = new Map<string, Site>();
  readonly zones = new Map<string, Zone>();
  readonly devices = new Map<string, RegisteredDevice>();
  readonly #listeners = new Set<(change: RegistryChange) => void>();
  readonly #indices = new Map<string, number>();
  readonly #children = new Map<string, Set<string>>();

  onChange(listener: (change: RegistryChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  putArea(area: Area): void {
    this.areas.set(area.id, area);
    this.#changed({ entity: 'area', id: area.id });
  }

  putSite(site: Site): void {
    this.sites.set(site.id, site);
    for (const device of this.devices.values()) if (device.site === site.id) device.path = site.path;
    this.#changed({ entity: 'site', id: site.id });
  }

  putZone(zone: Zone): void {
    this.zones.set(zone.id, zone);
    this.#changed({ entity: 'zone', id: zone.id });
  }

  putDevice(device: Device & { secretHash: string }): RegisteredDevice {
    let index = this.#indices.get(device.id);
    if (index === undefined) {
      index = this.#indices.size;
      this.#indices.set(device.id, index);
    }
    const before = this.devices.get(device.id);
    if (before?.gateway) this.#children.get(before.gateway)?.delete(device.id);
    if (device.gateway) {
      const children = this.#children.get(device.gateway) ?? new Set<string>();
      children.add(device.id);
      this.#children.set(device.gateway, children);
    }
    const path = this.sites.get(device.site)?.path ?? '';
    // One object per device for the life of the process: connections hold it and see changes at once.
    const registered = Object.assign(before ?? {}, device, { index, path }) as RegisteredDevice;
    this.devices.set(device.id, registered);
    this.#changed({ entity: 'device', id: device.id });
    return registered;
  }

  remove(change: RegistryChange): void {
    const { entity, id } = change;
    if (entity === 'device') {
      const device = this.devices.get(id);
      if (device?.gateway) this.#children.get(device.gateway)?.delete(id);
      if (device) device.disabled = true;
      this.devices.delete(id);
    } else if (entity === 'zone') this.zones.delete(id);
    else if (entity === 'site') this.sites.delete(id);
    else this.areas.delete(id);
    this.#changed(change);
  }

  /** The number of a device, also of one that was removed in the life of the process; -1 for one never known. */
  indexOf(id: string): number {
    return this.#indices.get(id) ?? -1;
  }

  /** Devices whose messages a gateway carries. */
  children(gateway: string): ReadonlySet<string> {
    return this.#children.get(gateway) ?? new Set();
  }

  /** `/area/…/site/` of a device, or '' (which no scope contains) when it is unknown. */
  pathOf(device: string): string {
    return this.devices.get(device)?.path ?? '';
  }

  #changed(change: RegistryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
