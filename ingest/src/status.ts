import {
  type Clock,
  type DeviceStatus,
  eachInOrder,
  type JournalBatch,
  type LastValue,
  METRIC_NAMES,
  type Registry,
  type Timer,
} from '@smart-fire/core';
import type { DeviceSlot, Devices } from './devices.ts';
import type { LastValues } from './last-values.ts';
import { ListenedTime } from './listened-time.ts';

/** Listeners are called at most four times a second. */
const COALESCE_MS = 250;
/** A device may miss two reports in a row before it counts as silent. */
const SILENT_INTERVALS = 3;

interface Evidence {
  lastSeenAt: number | null;
  /** Listened time at the last message. */
  heardAt: number;
  claimsOnline: boolean | null;
  silent: boolean;
}

/** What ingest knows of each device: what was committed, what the broker saw, and how long it has been silent while we listened. */
export class Status {
  readonly #evidence = new Map<DeviceSlot, Evidence>();
  readonly #connected = new Set<string>();
  readonly #listened = new ListenedTime();
  readonly #listeners = new Set<(devices: ReadonlySet<string>) => void>();
  #changed = new Set<string>();
  #timer: Timer | null = null;
  #firstAt: number | null = null;
  readonly #devices: Devices;
  readonly #last: LastValues;
  readonly #registry: Registry;
  readonly #clock: Clock;

  constructor(devices: Devices, last: LastValues, registry: Registry, clock: Clock) {
    this.#devices = devices;
    this.#last = last;
    this.#registry = registry;
    this.#clock = clock;
  }

  /** Takes in a committed batch. Connections of before a restart are gone, so its presence says nothing here. */
  consume(batch: JournalBatch): void {
    const { slotOf } = this.#devices;
    let before: DeviceSlot | null = null;
    eachInOrder(batch, {
      reading: ({ series, receivedAt }, row) => {
        const slot = slotOf[series[row]!]!;
        this.#listen(receivedAt[row]!);
        if (slot === before) return;
        before = slot;
        this.#heard(slot, receivedAt[row]!);
      },
      entry: (entry) => {
        this.#listen(entry.receivedAt);
        if (entry.type === 'event') this.#heard(this.#devices.slot(entry.device), entry.receivedAt);
        else if (entry.type === 'state') this.#claim(this.#devices.slot(entry.device), entry.online);
        else if (entry.type === 'tick') this.#findSilent();
      },
    });
  }

  /** The readings store knows that the device was heard at `at`, before what the journal still holds: all time since counts as listened. */
  restore(slot: DeviceSlot, at: number, now: number): void {
    const evidence = this.#of(slot);
    if (evidence.lastSeenAt !== null && evidence.lastSeenAt >= at) return;
    evidence.lastSeenAt = at;
    evidence.heardAt = Math.min(0, at - (this.#firstAt ?? now));
    evidence.silent = this.#isSilent(slot, evidence);
  }

  presence(device: string, online: boolean): void {
    if (online) this.#connected.add(device);
    else this.#connected.delete(device);
    this.#touch(device);
    for (const child of this.#registry.children(device)) this.#touch(child);
  }

  status(id: string): DeviceStatus {
    const device = this.#registry.devices.get(id);
    const slot = this.#devices.slots.get(id);
    const evidence = slot && this.#evidence.get(slot);
    const lastSeenAt = evidence?.lastSeenAt ?? null;
    const silent = !slot || !evidence || lastSeenAt === null || this.#isSilent(slot, evidence);
    return {
      device: id,
      connected: this.#connected.has(id) || (device?.gateway ? this.#connected.has(device.gateway) : false),
      claimsOnline: evidence?.claimsOnline ?? null,
      lastSeenAt,
      unknownSince: silent ? (lastSeenAt ?? device?.createdAt ?? 0) : null,
      values: slot ? this.#valuesOf(slot) : [],
    };
  }

  onChange(listener: (devices: ReadonlySet<string>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #valuesOf(slot: DeviceSlot): LastValue[] {
    const values: LastValue[] = [];
    const last = this.#last;
    for (const [point, byMetric] of slot.points) {
      byMetric.forEach((series, metric) => {
        if (series < 0 || !(last.time[series]! >= 0)) return;
        values.push({
          point,
          metric: METRIC_NAMES[metric]!,
          value: last.value[series]!,
          time: last.time[series]!,
          receivedAt: last.receivedAt[series]!,
          flags: last.flags[series]!,
        });
      });
    }
    return values;
  }

  #of(slot: DeviceSlot): Evidence {
    let evidence = this.#evidence.get(slot);
    if (!evidence) {
      evidence = { lastSeenAt: null, heardAt: 0, claimsOnline: null, silent: true };
      this.#evidence.set(slot, evidence);
    }
    return evidence;
  }

  #listen(receivedAt: number): void {
    this.#firstAt ??= receivedAt;
    this.#listened.advance(receivedAt);
  }

  #heard(slot: DeviceSlot, receivedAt: number): void {
    const evidence = this.#of(slot);
    evidence.lastSeenAt = receivedAt;
    evidence.heardAt = this.#listened.now;
    evidence.silent = false;
    this.#touch(slot.id);
  }

  #claim(slot: DeviceSlot, online: boolean): void {
    this.#of(slot).claimsOnline = online;
    this.#touch(slot.id);
  }

  #findSilent(): void {
    for (const [slot, evidence] of this.#evidence) {
      if (evidence.silent || !this.#isSilent(slot, evidence)) continue;
      evidence.silent = true;
      this.#touch(slot.id);
    }
  }

  #isSilent(slot: DeviceSlot, evidence: Evidence): boolean {
    return this.#listened.now - evidence.heardAt > SILENT_INTERVALS * slot.ranges.intervalMs;
  }

  #touch(device: string): void {
    if (this.#listeners.size === 0) return;
    this.#changed.add(device);
    this.#timer ??= this.#clock.setTimeout(() => this.#notify(), COALESCE_MS);
  }

  #notify(): void {
    this.#timer = null;
    const changed = this.#changed;
    this.#changed = new Set();
    for (const listener of this.#listeners) listener(changed);
  }
}
