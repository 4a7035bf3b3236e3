import {
  type Alarm,
  type AlarmClass,
  type DeviceCondition,
  type DeviceStatusSource,
  METRICS,
  type RegisteredDevice,
  type Registry,
} from '@smart-fire/core';
import type { UnclosedByDevice } from './unclosed-by-device.ts';

/** Most urgent first. A silent device is `unknown` before it is anything that is no danger to life; green needs recent evidence. */
const ORDER: readonly DeviceCondition[] = [
  'alarm',
  'early-warning',
  'unknown',
  'supervisory',
  'fault',
  'disabled',
  'normal',
];

const CONDITION: Record<AlarmClass, DeviceCondition> = {
  fire: 'alarm',
  'early-warning': 'early-warning',
  supervisory: 'supervisory',
  fault: 'fault',
  disabled: 'disabled',
};

/** A fire latches until closed; the others colour the device while their condition is present. */
function isPresent(alarm: Alarm): boolean {
  return alarm.class === 'fire' || alarm.clearedAt === null;
}

/** How devices look to people. */
export class DeviceViews {
  readonly #registry: Registry;
  readonly #status: DeviceStatusSource;
  readonly #unclosed: UnclosedByDevice;

  constructor(registry: Registry, status: DeviceStatusSource, unclosed: UnclosedByDevice) {
    this.#registry = registry;
    this.#status = status;
    this.#unclosed = unclosed;
  }

  condition(device: RegisteredDevice, status = this.#status.status(device.id)): DeviceCondition {
    const found = new Set<DeviceCondition>(['normal']);
    if (device.disabled) found.add('disabled');
    else if (status.unknownSince !== null || status.lastSeenAt === null) found.add('unknown');
    for (const alarm of this.#unclosed.of(device.id)) if (isPresent(alarm)) found.add(CONDITION[alarm.class]);
    return ORDER.find((condition) => found.has(condition))!;
  }

  hasUnclosedAlarms(device: string): boolean {
    return this.#unclosed.has(device);
  }

  status(device: RegisteredDevice, withValues: boolean) {
    const status = this.#status.status(device.id);
    return {
      ...brief(status),
      condition: this.condition(device, status),
      values: withValues ? status.values.map((value) => ({ ...value, unit: METRICS[value.metric].unit })) : [],
    };
  }

  item(device: RegisteredDevice) {
    const { id, kind, name, site, zone, gateway, location, disabled, createdAt } = device;
    const status = this.#status.status(id);
    return {
      ...{ id, kind, name, site, zone, gateway, location, disabled, createdAt },
      siteName: this.#registry.sites.get(site)?.name ?? site,
      zoneName: zone === null ? null : (this.#registry.zones.get(zone)?.name ?? zone),
      status: { ...brief(status), condition: this.condition(device, status) },
    };
  }
}

function brief({
  device,
  connected,
  claimsOnline,
  lastSeenAt,
  unknownSince,
}: ReturnType<DeviceStatusSource['status']>) {
  return { device, connected, claimsOnline, lastSeenAt, unknownSince };
}
