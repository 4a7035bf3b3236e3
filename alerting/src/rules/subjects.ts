import type { SeriesRow } from '@smart-fire/core';
import { grown } from './growable.ts';

/** Devices and series by dense numbers, and which slots are theirs; -1 = none. */
export class Subjects {
  /** By device number. */
  readonly ids: string[] = [];
  /** Sensor kind whose rules are bound, '' = none (unknown or disabled device). */
  readonly kinds: string[] = [];
  gateway = new Int32Array(0);
  absence = new Int32Array(0);
  firstSeries = new Int32Array(0);
  /** By series number, as the journal gave it. */
  readonly points: string[] = [];
  readonly metrics: string[] = [];
  device = new Int32Array(0);
  firstSlot = new Int32Array(0);
  nextSeries = new Int32Array(0);
  readonly #numbers = new Map<string, number>();

  numberOf(id: string): number {
    return this.#numbers.get(id) ?? -1;
  }

  /** The number of a device, given to it when it is new. */
  addDevice(id: string): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.ids.push(id) - 1;
    this.kinds.push('');
    this.#numbers.set(id, number);
    this.gateway = grown(this.gateway, number + 1);
    this.absence = grown(this.absence, number + 1);
    this.firstSeries = grown(this.firstSeries, number + 1);
    this.gateway[number] = this.absence[number] = this.firstSeries[number] = -1;
    return number;
  }

  /** False when the series is known already. */
  addSeries({ index, device, point, metric }: SeriesRow): boolean {
    if (this.metrics[index] !== undefined) return false;
    this.points[index] = point;
    this.metrics[index] = metric;
    this.device = grown(this.device, index + 1, -1);
    this.firstSlot = grown(this.firstSlot, index + 1, -1);
    this.nextSeries = grown(this.nextSeries, index + 1, -1);
    const number = this.addDevice(device);
    this.device[index] = number;
    this.nextSeries[index] = this.firstSeries[number]!;
    this.firstSeries[number] = index;
    return true;
  }
}
