import type { RegisteredDevice, Registry, SeriesRow } from '@smart-fire/core';
import type { Plan, RuleCatalogue } from './catalogue.ts';
import { makeOf, type Variant } from './live-rule.ts';
import { LIVE, Slots } from './slots.ts';
import { Subjects } from './subjects.ts';
import { Timers } from './timers.ts';

/** Gateways behind gateways at most. */
const MOST_HOPS = 100;
/** Devices that need only be looked at cost so many times less than one that takes over rules. */
const LOOKED_AT = 100;

/** What the engine is told while rules and devices change. */
export interface BindingEvents {
  /** The slot is about to go; the condition is nobody's any more. */
  dropped(slot: number, variant: Variant, reason: string): void;
  /** The slot goes on under another variant of its rule, already its own. */
  relabelled(slot: number, before: Variant): void;
}

/** Which rules look at which series, device and zone, and where their state is: made from the registry and the catalogue. */
export class Bindings {
  readonly subjects: Subjects;
  readonly slots: Slots;
  readonly timers: Timers;
  readonly #registry: Registry;
  readonly #catalogue: RuleCatalogue;
  readonly #events: BindingEvents;
  readonly #members: number[] = [];
  /** Devices below have the rules as they are now; Infinity = all. */
  #swept = Infinity;
  /** Why rules were last out of date. */
  #reason = '';

  constructor(registry: Registry, catalogue: RuleCatalogue, events: BindingEvents) {
    this.subjects = new Subjects(registry);
    this.slots = new Slots((variant) => catalogue.variants[variant]!.length);
    this.timers = new Timers(this.slots);
    this.#registry = registry;
    this.#catalogue = catalogue;
    this.#events = events;
  }

  /** For a start: all devices of the registry and all series of the journal's dictionary. */
  begin(series: readonly SeriesRow[]): void {
    const devices = this.#registry.devices.size;
    this.subjects.reserve(devices, series.length);
    // Nearly every device has a rule on its silence, with three numbers of state.
    this.slots.reserve(devices, 3);
    for (const row of series) this.subjects.addSeries(row);
    for (const { id } of this.#registry.devices.values()) this.bind(this.subjects.addDevice(id), '');
  }

  variantOf(slot: number): Variant {
    return this.#catalogue.variants[this.slots.variant(slot)]!;
  }

  /** The number of whose state a variant keeps, of a series. */
  subjectOf({ subject }: Variant, series: number): number {
    if (subject === 'series') return series;
    const device = this.subjects.device(series);
    if (subject === 'device') return this.subjects.lead(series);
    return subject === 'zone' ? this.subjects.zone(device) : device;
  }

  /** -1 = its state is fresh. */
  find(variant: Variant, subject: number): number {
    let slot = this.#first(variant, subject);
    while (slot >= 0 && this.slots.variant(slot) !== variant.index) slot = this.slots.next(slot);
    return slot;
  }

  allocate(variant: Variant, subject: number): number {
    const slot = this.slots.allocate(variant.index, subject, this.#first(variant, subject));
    this.#setFirst(variant, subject, slot);
    return slot;
  }

  /** State that is fresh again takes no room. */
  release(slot: number, variant: Variant): void {
    const subject = this.slots.subject(slot);
    this.#setFirst(variant, subject, this.slots.unchain(this.#first(variant, subject), slot));
    this.timers.remove(slot);
    this.slots.release(slot);
  }

  /** Number of the device that a slot's alarm is of; -1 when it is not known. */
  deviceOf(slot: number, variant: Variant): number {
    const { subject } = variant;
    const of = this.slots.subject(slot);
    if (subject === 'silence') return of;
    if (subject === 'zone') return this.subjects.device(this.source(slot, variant));
    return this.subjects.device(of);
  }

  pointOf(slot: number, variant: Variant): string {
    if (variant.subject === 'silence') return '';
    return this.subjects.point(variant.subject === 'zone' ? this.source(slot, variant) : this.slots.subject(slot));
  }

  /** Of a slot of a zone: the series that fed it last, so who completes an alarm; -1 = none has. */
  source(slot: number, { size }: Variant): number {
    const source = this.slots.state[this.slots.offset(slot) + size]!;
    return Number.isNaN(source) ? -1 : source;
  }

  setSource(slot: number, { size }: Variant, series: number): void {
    this.slots.state[this.slots.offset(slot) + size] = series;
  }

  /** `{rule}:{device}:{point}`; of a zone's rule `{rule}:{zone}:`, of a device without a zone `{rule}::{device}`. */
  cause(slot: number, variant: Variant): string {
    const of = this.slots.subject(slot);
    const { id } = variant.live;
    if (variant.subject === 'zone') {
      const key = this.subjects.zoneKeys[of]!;
      return key.startsWith('z:') ? `${id}:${key.slice(2)}:` : `${id}::${key.slice(2)}`;
    }
    return `${id}:${this.subjects.ids[this.deviceOf(slot, variant)]!}:${this.pointOf(slot, variant)}`;
  }

  addSeries(row: SeriesRow): void {
    const unknown = this.subjects.numberOf(row.device) < 0;
    if (!this.subjects.addSeries(row) || !unknown) return;
    const device = this.subjects.numberOf(row.device);
    if (device >= 0) this.bind(device, '');
  }

  /** Makes a device's state that of the rules it has now; it may have another gateway, zone or kind. */
  bind(device: number, reason: string): void {
    const { subjects } = this;
    const registered = this.#registry.devices.get(subjects.ids[device]!);
    subjects.setGateway(device, registered ? this.#gatewayOf(registered) : -1);
    this.#take(device, registered ? this.#catalogue.planOf(registered) : this.#catalogue.plans[0]!, reason);
  }

  /** Rules or places have changed: devices with a stale plan take another when they are met, and one after the other in `sweep`. */
  outdated(reason: string): void {
    this.#swept = 0;
    this.#reason = reason;
  }

  /** To be called before a device's rules are asked for. */
  settle(device: number): void {
    const plan = this.#catalogue.plans[this.subjects.plan(device)];
    if (plan?.stale) this.#renew(device, plan);
  }

  /** To be called before a slot acts by itself. False when it is no more, or when whose it becomes is not known yet. */
  settleSlot(slot: number): boolean {
    const device = this.deviceOf(slot, this.variantOf(slot));
    if (device >= 0) this.settle(device);
    return this.slots.has(slot, LIVE) && !this.variantOf(slot).retired;
  }

  /** Lets so many devices take over the rules as they are now; true when all have. */
  sweep(devices: number): boolean {
    const { subjects } = this;
    const { plans } = this.#catalogue;
    let renewed = 0;
    for (let looked = 0; this.#swept < subjects.ids.length; looked++) {
      if (renewed >= devices || looked >= LOOKED_AT * devices) return false;
      const device = this.#swept++;
      const plan = plans[subjects.plan(device)];
      if (!plan?.stale) continue;
      this.#renew(device, plan);
      renewed++;
    }
    if (this.#swept === Infinity) return true;
    this.#swept = Infinity;
    const current = this.#catalogue.inForce();
    for (let zone = 0; zone < subjects.zoneKeys.length; zone++)
      this.#dropChain(subjects.zoneSlot[zone]!, this.#reason, (variant) => !current.has(variant));
    this.#catalogue.forget();
    return true;
  }

  *slotsOf(device: number): Generator<number> {
    const { subjects, slots } = this;
    if (device < 0) return;
    this.settle(device);
    const firsts = [subjects.silence(device)];
    for (let series = subjects.firstSeries(device); series >= 0; series = subjects.nextSeries(series))
      firsts.push(subjects.firstSlot(series));
    if (subjects.zone(device) >= 0) firsts.push(subjects.zoneSlot[subjects.zone(device)]!);
    for (const first of firsts)
      for (let slot = first; slot >= 0; ) {
        const next = slots.next(slot);
        yield slot;
        slot = next;
      }
  }

  #renew(device: number, before: Plan): void {
    const { subjects } = this;
    const plan = this.#catalogue.renewed(before, subjects.ids[device]!);
    // Most devices have the same rules as before when a rule for other places has changed.
    if (plan.key === before.key) subjects.setPlan(device, plan.index);
    else this.#take(device, plan, this.#reason);
  }

  #take(device: number, plan: Plan, reason: string): void {
    const { subjects } = this;
    const before = this.#catalogue.plans[subjects.plan(device)]!;
    if (plan.detectors && !before.detectors) subjects.needDetectors(device);
    this.#enterZone(device, plan, reason);
    if (before === plan) return;
    subjects.setPlan(device, plan.index);
    this.#rebind(subjects.silence(device), plan, reason);
    for (let series = subjects.firstSeries(device); series >= 0; series = subjects.nextSeries(series))
      this.#rebind(subjects.firstSlot(series), plan, reason);
    for (const variant of plan.silence) if (this.find(variant, device) < 0) this.allocate(variant, device);
  }

  #rebind(first: number, plan: Plan, reason: string): void {
    for (let slot = first; slot >= 0; ) {
      const next = this.slots.next(slot);
      this.#relabel(slot, plan, reason, true);
      slot = next;
    }
  }

  /** What a slot's rule is in this plan; one that has none there is dropped, or left to the zone's other devices. */
  #relabel(slot: number, plan: Plan, reason: string, drop: boolean): void {
    const before = this.variantOf(slot);
    const after = plan.variants.find(({ live }) => live === before.live);
    if (after === before || (!after && !drop)) return;
    if (!after || makeOf(after) !== makeOf(before)) {
      this.#events.dropped(slot, before, reason);
      this.release(slot, before);
      return;
    }
    this.slots.setVariant(slot, after.index);
    this.#events.relabelled(slot, before);
  }

  #enterZone(device: number, plan: Plan, reason: string): void {
    const { subjects } = this;
    const before = subjects.zone(device);
    if (!plan.zoned && before < 0) return;
    const registered = plan.zoned ? this.#registry.devices.get(subjects.ids[device]!) : undefined;
    const key = !registered ? '' : registered.zone === null ? `d:${registered.id}` : `z:${registered.zone}`;
    if (before < 0 || subjects.zoneKeys[before] !== key) {
      if (before >= 0 && this.#join(before, -1) === 0) this.#dropChain(subjects.zoneSlot[before]!, reason, () => true);
      subjects.setZone(device, key);
      if (subjects.zone(device) >= 0) this.#join(subjects.zone(device), 1);
    }
    const zone = subjects.zone(device);
    if (zone < 0) return;
    for (let slot = subjects.zoneSlot[zone]!; slot >= 0; ) {
      const next = this.slots.next(slot);
      this.#relabel(slot, plan, reason, false);
      slot = next;
    }
  }

  /** Counts the devices of a zone. */
  #join(zone: number, by: 1 | -1): number {
    this.#members[zone] = (this.#members[zone] ?? 0) + by;
    return this.#members[zone]!;
  }

  #dropChain(first: number, reason: string, which: (variant: Variant) => boolean): void {
    for (let slot = first; slot >= 0; ) {
      const next = this.slots.next(slot);
      const variant = this.variantOf(slot);
      if (which(variant)) {
        this.#events.dropped(slot, variant, reason);
        this.release(slot, variant);
      }
      slot = next;
    }
  }

  /** Where the chain of a subject's slots begins. */
  #first({ subject }: Variant, of: number): number {
    if (subject === 'silence') return this.subjects.silence(of);
    return subject === 'zone' ? this.subjects.zoneSlot[of]! : this.subjects.firstSlot(of);
  }

  #setFirst({ subject }: Variant, of: number, slot: number): void {
    if (subject === 'silence') this.subjects.setSilence(of, slot);
    else if (subject === 'zone') this.subjects.zoneSlot[of] = slot;
    else this.subjects.setFirstSlot(of, slot);
  }

  /** The gateway's number; -1 when there is none, or when the chain of gateways leads back to the device. */
  #gatewayOf({ id, gateway }: RegisteredDevice): number {
    if (gateway === null || !this.#registry.devices.has(gateway)) return -1;
    let hops = 0;
    for (let up: string | null = gateway; up !== null; up = this.#registry.devices.get(up)?.gateway ?? null)
      if (up === id || ++hops > MOST_HOPS) return -1;
    return this.subjects.addDevice(gateway);
  }
}
