import {
  type Clock,
  type DeviceStatus,
  type JournalBatch,
  type LastValue,
  ListenedClock,
  METRIC_NAMES,
  type ReadingColumns,
  type Registry,
  type Timer,
} from '@smart-fire/core';
import type { DeviceSlot, Devices } from './devices.ts';
import type { LastValues } from './last-values.ts';
import { SilenceAgenda } from './silence-agenda.ts';

/** Listeners are called at most four times a second. */
const COALESCE_MS = 250;
/** A device may miss two reports in a row before it counts as silent. */
const SILENT_INTERVALS = 3;

/** What ingest knows of each device: what was committed, what the broker saw, and how long it has been silent while we listened. */
export class Status {
  readonly #connected = new Set<string>();
  readonly #listened = new ListenedClock();
  readonly #agenda = new SilenceAgenda();
  readonly #listeners = new Set<(devices: ReadonlySet<string>) => void>();
  #changed = new Set<string>();
  readonly #heardOf: DeviceSlot[] = [];
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
  consume({ readings, entries }: JournalBatch): void {
    let row = 0;
    for (const entry of entries) {
      row = this.#readings(readings, row, entry.no);
      this.#listen(entry.receivedAt);
      if (entry.type === 'event') this.#heard(this.#devices.slot(entry.device), entry.receivedAt);
      else if (entry.type === 'state') this.#claim(this.#devices.slot(entry.device), entry.online);
      else if (entry.type === 'tick') {
        this.#listened.deaf = entry.deaf ?? false;
        this.#findSilent();
      }
    }
    this.#readings(readings, row, Infinity);
  }

  /** Rows from `row` on with numbers below `no`; returns the first behind them. */
  #readings({ length, no: numbers, series, receivedAt }: ReadingColumns, from: number, no: number): number {
    const { slotOf } = this.#devices;
    let before: DeviceSlot | null = null;
    let row = from;
    for (; row < length && numbers[row]! < no; row++) {
      const slot = slotOf[series[row]!]!;
      this.#listen(receivedAt[row]!);
      if (slot !== before) this.#heard(slot, receivedAt[row]!);
      before = slot;
    }
    return row;
  }

  /** The readings store knows that the device was heard at `at`, before what the journal still holds: all time since counts as listened. */
  restore(slot: DeviceSlot, at: number, now: number): void {
    const { evidence } = slot;
    if (evidence.lastSeenAt !== null && evidence.lastSeenAt >= at) return;
    evidence.lastSeenAt = at;
    evidence.heardAt = Math.min(0, at - (this.#firstAt ?? now));
    evidence.silent = this.#isSilent(slot);
    if (!evidence.silent) this.#await(slot);
  }

  /** How often the device reports may be another now. */
  refresh(id: string): void {
    const slot = this.#devices.slots.get(id);
    if (slot && !slot.evidence.silent) this.#await(slot);
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
    const lastSeenAt = slot?.evidence.lastSeenAt ?? null;
    const silent = !slot || lastSeenAt === null || this.#isSilent(slot);
    return {
      device: id,
      connected: this.#connected.has(id) || (device?.gateway ? this.#connected.has(device.gateway) : false),
      claimsOnline: slot?.evidence.claimsOnline ?? null,
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

  #listen(receivedAt: number): void {
    this.#firstAt ??= receivedAt;
    this.#listened.hear(receivedAt);
  }

  #heard(slot: DeviceSlot, receivedAt: number): void {
    const { evidence } = slot;
    evidence.lastSeenAt = receivedAt;
    evidence.heardAt = this.#listened.hearing;
    evidence.silent = false;
    if (evidence.due === null) this.#await(slot);
    // A flag, not a set of names: this is the path of every reading.
    if (evidence.changed || this.#listeners.size === 0) return;
    evidence.changed = true;
    this.#heardOf.push(slot);
    this.#notifySoon();
  }

  #claim(slot: DeviceSlot, online: boolean): void {
    slot.evidence.claimsOnline = online;
    this.#touch(slot.id);
  }

  #findSilent(): void {
    for (const slot of this.#agenda.take(this.#listened.hearing)) {
      if (this.#isSilent(slot)) {
        slot.evidence.silent = true;
        this.#touch(slot.id);
      } else this.#await(slot);
    }
  }

  #await(slot: DeviceSlot): void {
    this.#agenda.put(slot, silentAt(slot) + 1);
  }

  #isSilent(slot: DeviceSlot): boolean {
    return this.#listened.hearing > silentAt(slot);
  }

  #touch(device: string): void {
    if (this.#listeners.size === 0) return;
    this.#changed.add(device);
    this.#notifySoon();
  }

  #notifySoon(): void {
    this.#timer ??= this.#clock.setTimeout(() => this.#notify(), COALESCE_MS);
  }

  #notify(): void {
    this.#timer = null;
    const changed = this.#changed;
    this.#changed = new Set();
    for (const { id, evidence } of this.#heardOf.splice(0)) {
      evidence.changed = false;
      changed.add(id);
    }
    for (const listener of this.#listeners) listener(changed);
  }
}

/** Hearing time up to which the device is not silent. */
function silentAt({ evidence, ranges }: DeviceSlot): number {
  return evidence.heardAt + SILENT_INTERVALS * ranges.intervalMs;
}
