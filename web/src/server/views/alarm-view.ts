import type { Alarm, Registry } from '@smart-fire/core';

/** An alarm with the names a person needs to act on it: what, where, which building. */
export class AlarmViews {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Where permissions on an alarm are checked. Of a site that is no more, only those who see the whole tree see the alarms. */
  pathOf(alarm: Pick<Alarm, 'site'>): string {
    return this.#registry.sites.get(alarm.site)?.path ?? '/';
  }

  item(alarm: Alarm) {
    const device = this.#registry.devices.get(alarm.device);
    const site = this.#registry.sites.get(alarm.site);
    const { openedNo: _, ...rest } = alarm;
    return {
      ...rest,
      deviceName: device?.name ?? alarm.device,
      deviceKind: device?.kind ?? '',
      location: device?.location ?? '',
      siteName: site?.name ?? alarm.site,
      address: site?.address ?? '',
      zoneName: alarm.zone === null ? null : (this.#registry.zones.get(alarm.zone)?.name ?? alarm.zone),
    };
  }
}
