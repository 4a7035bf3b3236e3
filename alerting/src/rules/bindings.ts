import type { Registry, SeriesRow } from '@smart-fire/core';
import type { Rule, RuleCatalogue } from './catalogue.ts';
import { Slots } from './slots.ts';
import { Subjects } from './subjects.ts';

/** Which rules look at which series and device: made from the registry and the catalogue, and made anew when a device changes. */
export class Bindings {
  readonly subjects = new Subjects();
  readonly slots = new Slots();
  readonly #registry: Registry;
  readonly #catalogue: RuleCatalogue;
  readonly #dropped: (cause: string, reason: string) => void;

  /** `dropped` is told of every raised cause that is no longer watched. */
  constructor(registry: Registry, catalogue: RuleCatalogue, dropped: (cause: string, reason: string) => void) {
    this.#registry = registry;
    this.#catalogue = catalogue;
    this.#dropped = dropped;
  }

  ruleOf(slot: number): Rule {
    return this.#catalogue.all[this.slots.rule[slot]!]!;
  }

  where(slot: number, rule: Rule): { id: string; point: string } {
    const subject = this.slots.subject[slot]!;
    if (rule.kind.type === 'absence') return { id: this.subjects.ids[subject]!, point: '' };
    return { id: this.subjects.ids[this.subjects.device[subject]!]!, point: this.subjects.points[subject]! };
  }

  cause(slot: number, rule: Rule): string {
    const { id, point } = this.where(slot, rule);
    return `${rule.id}:${id}:${point}`;
  }

  slotFor(rule: Rule, subject: number, devices: string[]): number {
    if (rule.kind.type === 'absence') {
      const device = this.subjects.numberOf(devices[subject]!);
      const slot = device < 0 ? -1 : this.subjects.absence[device]!;
      return slot >= 0 && this.slots.rule[slot] === rule.index ? slot : -1;
    }
    let slot = this.subjects.firstSlot[subject] ?? -1;
    while (slot >= 0 && this.slots.rule[slot] !== rule.index) slot = this.slots.next[slot]!;
    return slot;
  }

  addSeries(row: SeriesRow): void {
    if (!this.subjects.addSeries(row)) return;
    this.bind(this.subjects.device[row.index]!);
    this.#bindSeries(row.index);
  }

  /** Gives a device the slots of its kind's rules, or takes them away from one that is unknown or disabled. */
  bind(device: number): void {
    const subjects = this.subjects;
    const registered = this.#registry.devices.get(subjects.ids[device]!);
    const kind = registered && !registered.disabled ? registered.kind : '';
    subjects.gateway[device] = registered ? this.#gatewayOf(registered.id, registered.gateway) : -1;
    if (subjects.kinds[device] === kind) return;
    this.#unbind(device, registered ? (kind === '' ? 'device-disabled' : 'kind-changed') : 'device-removed');
    subjects.kinds[device] = kind;
    const rule = this.#catalogue.absenceOf(kind);
    if (rule) subjects.absence[device] = this.slots.allocate(rule, device, -1);
    for (let series = subjects.firstSeries[device]!; series >= 0; series = subjects.nextSeries[series]!)
      this.#bindSeries(series);
  }

  #bindSeries(series: number): void {
    const subjects = this.subjects;
    if (subjects.firstSlot[series]! >= 0) return;
    const kind = subjects.kinds[subjects.device[series]!]!;
    for (const rule of this.#catalogue.ofMetric(kind, subjects.metrics[series]!))
      subjects.firstSlot[series] = this.slots.allocate(rule, series, subjects.firstSlot[series]!);
  }

  #unbind(device: number, reason: string): void {
    const subjects = this.subjects;
    this.#drop(subjects.absence[device]!, reason);
    subjects.absence[device] = -1;
    for (let series = subjects.firstSeries[device]!; series >= 0; series = subjects.nextSeries[series]!) {
      for (let slot = subjects.firstSlot[series]!; slot >= 0; slot = this.slots.next[slot]!) this.#drop(slot, reason);
      subjects.firstSlot[series] = -1;
    }
  }

  #drop(slot: number, reason: string): void {
    if (slot < 0) return;
    const rule = this.ruleOf(slot);
    if (rule.kind.raised(this.slots.state, this.slots.offset[slot]!)) this.#dropped(this.cause(slot, rule), reason);
    this.slots.release(slot, rule);
  }

  /** The gateway's number; -1 when there is none, or when the chain of gateways leads back to the device. */
  #gatewayOf(id: string, gateway: string | null): number {
    if (gateway === null) return -1;
    const seen = new Set([id]);
    for (let up: string | null = gateway; up !== null; up = this.#registry.devices.get(up)?.gateway ?? null) {
      if (seen.has(up)) return -1;
      seen.add(up);
    }
    return this.subjects.addDevice(gateway);
  }
}
