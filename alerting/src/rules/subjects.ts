import type { Registry, SeriesRow } from '@smart-fire/core';
import { grown, resized } from './growable.ts';

/**
 * Devices, series and zones by dense numbers, with the first of each one's chain of slots; -1 = none. A device has the registry's number,
 * a series the journal's. What only some deployments have (points, zones) takes no room elsewhere.
 */
export class Subjects {
  /** By device. */
  readonly ids: string[] = [];
  /** Number of the device's plan, 0 = no rules. */
  plan = new Int32Array(0);
  gateway = new Int32Array(0);
  absence = new Int32Array(0);
  firstSeries = new Int32Array(0);
  #zone = new Int32Array(0);
  /** By series. */
  device = new Int32Array(0);
  firstSlot = new Int32Array(0);
  nextSeries = new Int32Array(0);
  /** Number of the metric's name; 0 = no such series. */
  metric = new Uint16Array(0);
  readonly metricNames: string[] = [''];
  readonly #metricNumbers = new Map<string, number>([['', 0]]);
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
  /** True when a rule asks which detector a reading comes from; leads are kept from then on. */
  #detectors = false;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  reserve(devices: number, series: number): void {
    for (const column of ['plan', 'gateway', 'absence', 'firstSeries'] as const)
      this[column] = resized(this[column], Math.max(devices, this[column].length), column === 'plan' ? 0 : -1);
    for (const column of ['device', 'firstSlot', 'nextSeries'] as const)
      this[column] = resized(this[column], Math.max(series, this[column].length), -1);
    this.metric = resized(this.metric, Math.max(series, this.metric.length));
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
    this.plan = grown(this.plan, number + 1);
    for (const column of ['gateway', 'absence', 'firstSeries'] as const)
      this[column] = grown(this[column], number + 1, -1);
    for (const series of this.#orphans.get(id) ?? []) this.#join(series, number);
    this.#orphans.delete(id);
    return number;
  }

  /** False when the series is known already. */
  addSeries({ index, device, point, metric }: SeriesRow): boolean {
    if ((this.metric[index] ?? 0) !== 0) return false;
    if (point !== '') this.#points[index] = point;
    this.metric = grown(this.metric, index + 1);
    this.metric[index] = this.#numberOfMetric(metric);
    for (const column of ['device', 'firstSlot', 'nextSeries'] as const)
      this[column] = grown(this[column], index + 1, -1);
    const number = this.#registry.devices.has(device) ? this.addDevice(device) : this.numberOf(device);
    if (number >= 0) this.#join(index, number);
    else this.#orphans.set(device, [...(this.#orphans.get(device) ?? []), index]);
    return true;
  }

  point(series: number): string {
    return this.#points[series] ?? '';
  }

  metricOf(series: number): string {
    return this.metricNames[this.metric[series]!]!;
  }

  /** The detector (device and point) of a series by the number of its first series, which the journal never changes. */
  lead(series: number): number {
    const lead = this.#lead[series] ?? -1;
    return lead < 0 ? series : lead;
  }

  /** From now on detectors are told apart. */
  needDetectors(): void {
    if (this.#detectors) return;
    this.#detectors = true;
    for (let series = 0; series < this.metric.length; series++) if (this.device[series]! >= 0) this.#findLead(series);
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
    const perDevice = [this.plan, this.gateway, this.absence, this.firstSeries, this.#zone, this.zoneSlot];
    const perSeries = [this.#lead, this.device, this.firstSlot, this.nextSeries, this.metric];
    return [...perDevice, ...perSeries].reduce((sum, array) => sum + array.byteLength, 8 * this.ids.length);
  }

  #join(series: number, device: number): void {
    this.device[series] = device;
    this.nextSeries[series] = this.firstSeries[device]!;
    this.firstSeries[device] = series;
    if (this.#detectors) this.#findLead(series);
  }

  #findLead(series: number): void {
    const device = this.device[series]!;
    const point = this.point(series);
    let lead = series;
    if (point === '')
      // The devices with thousands of series have thousands of points; one without a name has a handful.
      for (let other = this.firstSeries[device]!; other >= 0; other = this.nextSeries[other]!) {
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
