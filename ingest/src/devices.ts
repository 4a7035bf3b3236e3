import { METRIC_NAMES, type Metric, type Registry, type SeriesRow } from '@smart-fire/core';
import { Marks } from './dedupe.ts';
import { type Evidence, noEvidence } from './evidence.ts';
import { RangeCatalogue, type Ranges } from './ranges.ts';
import type { RawRing } from './raw-messages.ts';

/** A device (or a gateway's points) may not fill everybody's memory with names it makes up. */
export const SERIES_PER_DEVICE_MAX = 10_000;

const NO_SERIES = new Int32Array(0);

/** What ingest holds of one device, resolved once per message. */
export interface DeviceSlot {
  readonly id: string;
  ranges: Ranges;
  readonly marks: Marks;
  /** Whether any of the marks may be of telemetry; events alone cost readings nothing. */
  telemetryMarked: boolean;
  /** Point → series index by metric index, −1 where there is none yet. */
  readonly points: Map<string, Int32Array>;
  /** The same of the device itself, point ''. */
  own: Int32Array;
  seriesCount: number;
  readonly evidence: Evidence;
  /** Its last messages as they came; null until the first. */
  raw: RawRing | null;
}

/** Devices and series as dense indices: a reading's path holds numbers, never a key made of strings. */
export class Devices {
  readonly slots = new Map<string, DeviceSlot>();
  /** By series index. */
  readonly series: SeriesRow[] = [];
  /** By series index. */
  readonly slotOf: DeviceSlot[] = [];
  readonly #registry: Registry;
  readonly #ranges = new RangeCatalogue();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Starts from the journal's dictionary. */
  restore(rows: readonly SeriesRow[]): void {
    for (const row of rows) this.#append(this.slot(row.device), row);
  }

  slot(id: string): DeviceSlot {
    let slot = this.slots.get(id);
    if (!slot) {
      const ranges = this.#ranges.of(this.#registry.devices.get(id)?.kind ?? '');
      slot = {
        id,
        ranges,
        marks: new Marks(),
        telemetryMarked: false,
        points: new Map(),
        own: NO_SERIES,
        seriesCount: 0,
        evidence: noEvidence(),
        raw: null,
      };
      this.slots.set(id, slot);
    }
    return slot;
  }

  /** A device's kind may have changed. */
  refresh(id: string): void {
    const slot = this.slots.get(id);
    const device = this.#registry.devices.get(id);
    if (slot && device) slot.ranges = this.#ranges.of(device.kind);
  }

  /** The series' index, or −1 when there is none yet. */
  find(slot: DeviceSlot, point: string, metric: number): number {
    return (point === '' ? slot.own : slot.points.get(point))?.[metric] ?? -1;
  }

  /** Numbers a new series; null when the device has too many. */
  create(slot: DeviceSlot, point: string, metric: number): SeriesRow | null {
    if (slot.seriesCount >= SERIES_PER_DEVICE_MAX) return null;
    const row: SeriesRow = {
      index: this.series.length,
      device: slot.id,
      point,
      metric: METRIC_NAMES[metric] as Metric,
    };
    this.#append(slot, row);
    return row;
  }

  #append(slot: DeviceSlot, row: SeriesRow): void {
    let metrics = slot.points.get(row.point);
    if (!metrics) {
      metrics = new Int32Array(METRIC_NAMES.length).fill(-1);
      slot.points.set(row.point, metrics);
      if (row.point === '') slot.own = metrics;
    }
    metrics[METRIC_NAMES.indexOf(row.metric)] = row.index;
    this.series.push(row);
    this.slotOf.push(slot);
    slot.seriesCount++;
  }
}
