import type { Registry, SeriesRow } from '@smart-fire/core';
import { grown, resized } from './growable.ts';

/** Words (i32) of a device, side by side because they are read together. */
const PLAN = 0;
const GATEWAY = 1;
const SILENCE = 2;
const FIRST_SERIES = 3;
const DEVICE_WORDS = 4;

/** Words (i32) of a series. */
const DEVICE = 0;
const METRIC = 1;
const FIRST_SLOT = 2;
const NEXT_SERIES = 3;
const SERIES_WORDS = 4;

/**
 * Devices, series and zones by dense numbers, with the first of each one's chain of slots; -1 = none. A device has the registry's number,
 * a series the journal's. What only some deployments have (points, zones) takes no room elsewhere.
 */
export class Subjects {
  /** By device. */
  readonly ids: string[] = [];
  #devices = new Int32Array(0);
  #zone = new Int32Array(0);
  #series = new Int32Array(0);
  readonly metricNames: string[] = [];
  readonly #metricNumbers = new Map<string, number>();
  readonly #points: string[] = [];
  /** First series of the same (device, point); -1 = the series itself. */
  #lead = new Int32Array(0);
  /** First series of (device, point) for points that have a name. */
  readonly #leadOfPoint = new Map<string, number>();
  /** By zone: `z:{zone}` or `d:{device}` for a device without one. */
  readonly zoneKeys: string[] = [];
  zoneSlot = new Int32Array(0);
  readonly #zoneNumbers = new Map<string, number>();
  /** Series of devices that nobody has registered yet. */
  readonly #orphans = new Map<string, number[]>();
  readonly #registry: Registry;
  /** True when some rule asks which detector a reading comes from; leads of new series are kept from then on. */
  #detectors = false;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  reserve(devices: number, series: number): void {
    this.#devices = resized(this.#devices, Math.max(devices * DEVICE_WORDS, this.#devices.length), -1);
    this.#series = resized(this.#series, Math.max(series * SERIES_WORDS, this.#series.length), -1);
  }

  /** Number of the device's plan, 0 = no rules. */
  plan(device: number): number {
    return this.#devices[device * DEVICE_WORDS + PLAN]!;
  }

  setPlan(device: number, plan: number): void {
    this.#devices[device * DEVICE_WORDS + PLAN] = plan;
  }

  gateway(device: number): number {
    return this.#devices[device * DEVICE_WORDS + GATEWAY]!;
  }

  setGateway(device: number, gateway: number): void {
    this.#devices[device * DEVICE_WORDS + GATEWAY] = gateway;
  }

  /** First slot of the rules on a device's silence. */
  silence(device: number): number {
    return this.#devices[device * DEVICE_WORDS + SILENCE] ?? -1;
  }

  setSilence(device: number, slot: number): void {
    this.#devices[device * DEVICE_WORDS + SILENCE] = slot;
  }

  firstSeries(device: number): number {
    return this.#devices[device * DEVICE_WORDS + FIRST_SERIES]!;
  }

  nextSeries(series: number): number {
    return this.#series[series * SERIES_WORDS + NEXT_SERIES]!;
  }

  /** -1 too for a series that is not known. */
  device(series: number): number {
    return this.#series[series * SERIES_WORDS + DEVICE] ?? -1;
  }

  metric(series: number): number {
    return this.#series[series * SERIES_WORDS + METRIC] ?? -1;
  }

  firstSlot(series: number): number {
    return this.#series[series * SERIES_WORDS + FIRST_SLOT]!;
  }

  setFirstSlot(series: number, slot: number): void {
    this.#series[series * SERIES_WORDS + FIRST_SLOT] = slot;
  }

  numberOf(id: string): number {
    const number = this.#registry.indexOf(id);
    return number >= 0 && this.ids[number] !== undefined ? number : -1;
  }

  /** A device of the registry; its series that came before it are found. Returns its number. */
  addDevice(id: string): number {
    const number = this.#registry.indexOf(id);
    if (this.ids[number] !== undefined) return number;
    this.ids[number] = id;
    this.#devices = grown(this.#devices, (number + 1) * DEVICE_WORDS, -1);
    this.setPlan(number, 0);
    for (const series of this.#orphans.get(id) ?? []) this.#join(series, number);
    this.#orphans.delete(id);
    return number;
  }

  /** False when the series is known already. */
  addSeries({ index, device, point, metric }: SeriesRow): boolean {
    if (this.metric(index) >= 0) return false;
    if (point !== '') this.#points[index] = point;
    this.#series = grown(this.#series, (index + 1) * SERIES_WORDS, -1);
    this.#series[index * SERIES_WORDS + METRIC] = this.#numberOfMetric(metric);
    const number = this.#registry.devices.has(device) ? this.addDevice(device) : this.numberOf(device);
    if (number >= 0) this.#join(index, number);
    else this.#orphans.set(device, [...(this.#orphans.get(device) ?? []), index]);
    return true;
  }

  point(series: number): string {
    return this.#points[series] ?? '';
  }

  metricOf(series: number): string {
    return this.metricNames[this.metric(series)]!;
  }

  /** The detector (device and point) of a series by the number of its first series, which the journal never changes. */
  lead(series: number): number {
    const lead = this.#lead[series] ?? -1;
    return lead < 0 ? series : lead;
  }

  /** From now on the device's detectors are told apart. */
  needDetectors(device: number): void {
    this.#detectors = true;
    const all: number[] = [];
    for (let series = this.firstSeries(device); series >= 0; series = this.nextSeries(series)) all.push(series);
    for (const series of all.sort((a, b) => a - b)) this.#findLead(series);
  }

  /** Number of the device's zone, or -1 when no rule has asked for it yet. */
  zone(device: number): number {
    return this.#zone[device] ?? -1;
  }

  /** Number of a zone that has been asked for, or -1. */
  zoneNumber(key: string): number {
    return this.#zoneNumbers.get(key) ?? -1;
  }

  /** Some device of a zone; -1 = there is none. */
  memberOf(zone: number): number {
    return this.#zone.indexOf(zone);
  }

  /** '' = none. */
  setZone(device: number, key: string): void {
    this.#zone = grown(this.#zone, device + 1, -1);
    this.#zone[device] = key === '' ? -1 : this.#addZone(key);
  }

  /** Bytes of all arrays and, roughly, of the ids' references. */
  get bytes(): number {
    const arrays = [this.#devices, this.#series, this.#zone, this.zoneSlot, this.#lead];
    return arrays.reduce((sum, array) => sum + array.byteLength, 8 * this.ids.length);
  }

  #join(series: number, device: number): void {
    this.#series[series * SERIES_WORDS + DEVICE] = device;
    this.#series[series * SERIES_WORDS + NEXT_SERIES] = this.firstSeries(device);
    this.#devices[device * DEVICE_WORDS + FIRST_SERIES] = series;
    if (this.#detectors) this.#findLead(series);
  }

  #findLead(series: number): void {
    const device = this.device(series);
    const point = this.point(series);
    let lead = series;
    if (point === '')
      // The devices with thousands of series have thousands of points; one without a name has a handful.
      for (let other = this.firstSeries(device); other >= 0; other = this.nextSeries(other)) {
        if (other < lead && this.point(other) === '') lead = other;
      }
    else {
      const key = `${device} ${point}`;
      lead = Math.min(series, this.#leadOfPoint.get(key) ?? series);
      this.#leadOfPoint.set(key, lead);
    }
    if (lead === series) return;
    this.#lead = grown(this.#lead, series + 1, -1);
    this.#lead[series] = lead;
  }

  #addZone(key: string): number {
    const known = this.#zoneNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.zoneKeys.push(key) - 1;
    this.#zoneNumbers.set(key, number);
    this.zoneSlot = grown(this.zoneSlot, number + 1, -1);
    return number;
  }

  #numberOfMetric(name: string): number {
    let number = this.#metricNumbers.get(name);
    if (number === undefined) {
      number = this.metricNames.push(name) - 1;
      this.#metricNumbers.set(name, number);
    }
    return number;
  }
}
