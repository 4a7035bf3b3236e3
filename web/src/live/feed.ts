import type { Alarm, HealthItem, RegisteredDevice, Timer } from '@smart-fire/core';
import type { WebDeps } from '../server/deps.ts';
import type { AlarmViews } from '../server/views/alarm-view.ts';
import type { DeviceViews } from '../server/views/device-view.ts';
import type { UnclosedByDevice } from '../server/views/unclosed-by-device.ts';
import type { Entry } from './change-log.ts';
import type { Hub } from './hub.ts';
import { Pacer } from './pacer.ts';
import { Watched } from './watched.ts';

/** A status is worth a frame once a second: latest wins. */
const DEVICE_WINDOW_MS = 1000;
/** Changed devices told in one go, and the pause before the next ones: when a whole county reports at once nothing waits for all of it. */
const DEVICES_AT_ONCE = 100;
const REST_AFTER_MS = 4;
const HEALTH_EVERY_MS = 1000;
/** Figures of a part (rates, bytes) change all the time; they go out this many polls apart. */
const FIGURES_EVERY = 5;

interface FeedDeps extends Pick<WebDeps, 'book' | 'status' | 'registry' | 'health' | 'clock'> {
  hub: Hub;
  unclosed: UnclosedByDevice;
  devices: DeviceViews;
  alarms: AlarmViews;
  /** Something new is in the hub. */
  changed: () => void;
}

/** Brings what changes on the platform into the hub: alarms at once, device statuses and names gathered, health by asking. */
export class Feed {
  readonly #deps: FeedDeps;
  readonly #pacer: Pacer;
  readonly #watched = new Watched();
  readonly #dirty = new Set<string>();
  #rest: Timer | null = null;
  /** Sites and zones whose names alarms carry. */
  readonly #renamed = new Set<string>();
  readonly #devices = new Map<string, DeviceEntry>();
  readonly #ends: (() => void)[] = [];
  readonly #health = new Map<string, string>();
  #timer: Timer | null = null;
  #polls = 0;
  #versions = 0;

  constructor(deps: FeedDeps) {
    this.#deps = deps;
    this.#pacer = new Pacer(
      deps.clock,
      () => DEVICE_WINDOW_MS,
      () => this.#flush(),
    );
  }

  start(): void {
    const { book, status, registry, clock } = this.#deps;
    for (const alarm of book.unclosed()) this.#putAlarm(alarm);
    for (const device of registry.devices.keys()) this.#dirty.add(device);
    this.#flush();
    this.#pollHealth();
    this.#ends.push(
      book.onChange((alarm) => {
        this.#deps.unclosed.put(alarm);
        this.#putAlarm(alarm);
        this.#deps.changed();
        if (this.#watched.has(alarm.device)) this.#markDevice(alarm.device);
      }),
      status.onChange((changed) => {
        let any = false;
        for (const device of changed)
          if (this.#watched.has(device)) {
            this.#dirty.add(device);
            any = true;
          }
        if (any) this.#pacer.poke();
      }),
      registry.onChange(({ entity, id }) => {
        if (entity === 'device') this.#markDevice(id);
        if (entity === 'site')
          for (const device of registry.devices.values()) if (device.site === id) this.#dirty.add(device.id);
        this.#renamed.add(id);
        this.#pacer.poke();
      }),
    );
    this.#timer = clock.setInterval(() => this.#pollHealth(), HEALTH_EVERY_MS);
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#timer?.cancel();
    this.#rest?.cancel();
    this.#pacer.stop();
  }

  /** Somebody begins to watch these (null = all): what has changed while nobody did is in the hub before he reads. */
  watch(devices: readonly string[] | null): void {
    if (devices === null && !this.#watched.everything) {
      // At once for a new frame; one that was made before is followed by what has changed since.
      for (const [id, entry] of this.#devices) {
        entry.stale();
        this.#dirty.add(id);
      }
      this.#pacer.poke();
    }
    for (const id of devices ?? []) if (!this.#watched.has(id) && this.#devices.has(id)) this.#putDevice(id);
    this.#watched.add(devices);
  }

  unwatch(devices: readonly string[] | null): void {
    this.#watched.drop(devices);
  }

  #markDevice(device: string): void {
    this.#dirty.add(device);
    this.#pacer.poke();
  }

  #putAlarm(alarm: Alarm): void {
    const { hub, alarms } = this.#deps;
    // Its text is not kept: those who see the same share their frames, and a text that outlives its frame is there to be collected later.
    hub.put(alarm.class === 'fire' ? 'fire' : 'alarms', {
      ...{ entity: 'alarm', id: alarm.id, version: alarm.version },
      ...{ path: alarms.pathOf(alarm), gone: alarm.state === 'closed' },
      text: () => JSON.stringify(alarms.item(alarm)),
    });
  }

  #flush(): void {
    const { book } = this.#deps;
    if (this.#renamed.size > 0) {
      const names = this.#renamed;
      for (const alarm of book.unclosed())
        if (names.has(alarm.device) || names.has(alarm.site) || (alarm.zone !== null && names.has(alarm.zone)))
          this.#putAlarm(alarm);
      names.clear();
    }
    let left = DEVICES_AT_ONCE;
    for (const id of this.#dirty) {
      if (left-- === 0) break;
      this.#dirty.delete(id);
      this.#putDevice(id);
    }
    this.#deps.changed();
    if (this.#dirty.size > 0)
      this.#rest ??= this.#deps.clock.setTimeout(() => {
        this.#rest = null;
        this.#flush();
      }, REST_AFTER_MS);
  }

  #putDevice(id: string): void {
    const { hub, registry, devices } = this.#deps;
    const device = registry.devices.get(id);
    const version = ++this.#versions;
    if (device) {
      const known = this.#devices.get(id);
      // The hub tells by the path that a device has moved, so there it is another thing.
      const entry = known?.path === device.path ? known : new DeviceEntry(device, devices);
      if (entry !== known) this.#devices.set(id, entry);
      hub.put('devices', entry.changed(device, version));
    } else {
      this.#devices.delete(id);
      // Nobody is told of a device he could not see: the path is the last one.
      const path = hub.pathOf('devices', id);
      if (path !== null) hub.put('devices', { entity: 'device', id, version, path, gone: true, text: () => 'null' });
    }
  }

  #pollHealth(): void {
    const { hub, health } = this.#deps;
    const items = health();
    const withFigures = this.#polls++ % FIGURES_EVERY === 0;
    let changed = false;
    const put = (part: string, entry: Omit<Entry, 'entity' | 'id' | 'version' | 'path'>) => {
      changed = true;
      hub.put('health', { ...entry, entity: 'health', id: part, version: ++this.#versions, path: null });
    };
    for (const item of items) {
      const before = this.#health.get(item.part);
      const now = JSON.stringify(item);
      if (before === now || (before !== undefined && !withFigures && isSameState(JSON.parse(before), item))) continue;
      this.#health.set(item.part, now);
      put(item.part, { gone: false, text: () => now });
    }
    for (const part of this.#health.keys()) {
      if (items.some((item) => item.part === part)) continue;
      this.#health.delete(part);
      put(part, { gone: true, text: () => 'null' });
    }
    if (changed) this.#deps.changed();
  }
}

/** A device's status, the same object with every change: thousands change each second, and most are shown to nobody. */
class DeviceEntry implements Entry {
  readonly entity = 'device';
  readonly id: string;
  readonly path: string;
  readonly gone = false;
  version = 0;
  readonly #views: DeviceViews;
  #device: RegisteredDevice;
  /** Without and with what needs reading.read. */
  readonly #texts: [string | null, string | null] = [null, null];

  constructor(device: RegisteredDevice, views: DeviceViews) {
    this.id = device.id;
    this.path = device.path;
    this.#device = device;
    this.#views = views;
  }

  changed(device: RegisteredDevice, version: number): this {
    this.#device = device;
    this.version = version;
    this.stale();
    return this;
  }

  stale(): void {
    this.#texts[0] = this.#texts[1] = null;
  }

  text(full: boolean): string {
    this.#texts[Number(full)] ??= JSON.stringify(this.#views.status(this.#device, full));
    return this.#texts[Number(full)]!;
  }
}

function isSameState(a: HealthItem, b: HealthItem): boolean {
  return a.level === b.level && a.sentence.zh === b.sentence.zh && a.since === b.since;
}
