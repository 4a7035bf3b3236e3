import {
  FLAG,
  isAbsenceRule,
  type JournalBatch,
  type JournalEntry,
  type Registry,
  type SeriesRow,
} from '@smart-fire/core';
import { Bindings } from './bindings.ts';
import type { Rule, RuleCatalogue } from './catalogue.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Effect } from './effect.ts';
import { absence } from './kinds/absence.ts';
import { CLEAR, HOLD, NOTHING, type Outcome, RAISE, type Stimulus } from './kinds/kind.ts';
import { explainVerdict, verdictOf } from './kinds/verdict.ts';
import { ListenedClock } from './listened-clock.ts';
import { Timers } from './timers.ts';

export interface EngineDeps {
  registry: Registry;
  catalogue: RuleCatalogue;
  series: readonly SeriesRow[];
  /** Called within `consume`, in order; its `no` never falls. */
  emit: (effect: Effect) => void;
}

/**
 * The rules over the journal: a pure function of (state, entry), with the registry as its configuration. No clock, no I/O, no timers of
 * its own: time is what the entries say, so a replay gives the same effects. Nothing is allocated per reading.
 */
export class Engine {
  /** Number of the next entry; what is below it is skipped, so a batch may come again. */
  next = 1;
  evaluations = 0;
  /** Events of devices that no longer exist. */
  ignored = 0;
  readonly clock = new ListenedClock();
  readonly #timers = new Timers();
  readonly #bindings: Bindings;
  readonly #registry: Registry;
  readonly #catalogue: RuleCatalogue;
  readonly #emit: (effect: Effect) => void;
  /** Gateways (device numbers) with children that wait for them. */
  readonly #holding = new Set<number>();
  readonly #stimulus: Stimulus = { input: 0, source: 0, value: NaN, time: NaN, now: 0, learn: true };
  /** The entry at hand. */
  #no = 0;
  #time = 0;
  #receivedAt = 0;

  constructor({ registry, catalogue, series, emit }: EngineDeps) {
    this.#registry = registry;
    this.#catalogue = catalogue;
    this.#emit = emit;
    this.#bindings = new Bindings(registry, catalogue, (cause, reason) => this.#clear(cause, { reason }));
    for (const id of registry.devices.keys()) this.#bindings.bind(this.#bindings.subjects.addDevice(id));
    for (const row of series) this.#bindings.addSeries(row);
  }

  get stateBytes(): number {
    return this.#bindings.slots.bytes;
  }

  consume(batch: JournalBatch): void {
    for (const row of batch.newSeries) this.#bindings.addSeries(row);
    const { readings, entries } = batch;
    let row = 0;
    for (const entry of entries) {
      while (row < readings.length && readings.no[row]! < entry.no) this.#reading(batch, row++);
      if (entry.no >= this.next) this.#entry(entry);
    }
    while (row < readings.length) this.#reading(batch, row++);
    this.next = Math.max(this.next, batch.firstNo + batch.count);
  }

  /** The device was added, changed or removed (`now` ms UTC). State is kept unless its rules are others now. */
  refresh(id: string, now: number): void {
    this.#at(this.next - 1, now, now);
    const device = this.#bindings.subjects.addDevice(id);
    const gateway = this.#bindings.subjects.gateway[device]!;
    this.#bindings.bind(device);
    if (this.#bindings.subjects.gateway[device] !== gateway) this.#release(device, -1);
    if (this.#bindings.subjects.absence[device] === -1) this.#releaseChildren(device);
  }

  /** Makes book and engine agree after a start: the registry may have changed while we were down. `now` ms UTC. */
  reconcile(active: Iterable<string>, now: number): void {
    this.#at(this.next - 1, now, now);
    const unfounded = new Set(active);
    for (let slot = 0; slot < this.#bindings.slots.size; slot++) {
      const rule = this.#bindings.ruleOf(slot);
      if (
        this.#bindings.slots.live[slot] !== 1 ||
        !rule.kind.raised(this.#bindings.slots.state, this.#bindings.slots.offset[slot]!)
      )
        continue;
      if (!unfounded.delete(this.#bindings.cause(slot, rule))) this.#raise(slot, rule);
    }
    for (const cause of unfounded) this.#clear(cause, { reason: 'rule-gone' });
  }

  checkpoint(): Checkpoint {
    const { state, rule, subject, offset, live, size } = this.#bindings.slots;
    const rows: number[] = [];
    const devices = new Map<number, number>();
    for (let slot = 0; slot < size; slot++) {
      const start = offset[slot]!;
      const { kind, index, size: numbers } = this.#catalogue.all[rule[slot]!]!;
      if (live[slot] !== 1 || Number.isNaN(state[start])) continue;
      let of = subject[slot]!;
      if (kind.type === 'absence') {
        if (!devices.has(of)) devices.set(of, devices.size);
        of = devices.get(of)!;
      }
      rows.push(index, of);
      for (let i = 0; i < numbers; i++) rows.push(state[start + i]!);
    }
    return {
      next: this.next,
      listened: this.clock.now,
      last: Number.isNaN(this.clock.last) ? null : this.clock.last,
      rules: this.#catalogue.all.map(({ id, size }) => ({ id, size })),
      devices: [...devices.keys()].map((number) => this.#bindings.subjects.ids[number]!),
      rows: Float64Array.from(rows),
    };
  }

  /** Into a fresh engine. State of rules, series and devices that are no more is dropped. */
  restore({ next, listened, last, rules, devices, rows }: Checkpoint): void {
    this.next = next;
    this.clock.now = listened;
    this.clock.last = last ?? NaN;
    const known = new Map(this.#catalogue.all.map((rule) => [rule.id, rule]));
    for (let at = 0; at < rows.length; ) {
      const { id, size } = rules[rows[at]!]!;
      const rule = known.get(id);
      const slot = rule?.size === size ? this.#bindings.slotFor(rule, rows[at + 1]!, devices) : -1;
      if (rule && slot >= 0) {
        const offset = this.#bindings.slots.offset[slot]!;
        this.#bindings.slots.state.set(rows.subarray(at + 2, at + 2 + size), offset);
        this.#timers.arm(slot, rule.kind.wakeAt(this.#bindings.slots.state, offset, rule.definition));
        if (rule.kind.type === 'absence' && absence.held(this.#bindings.slots.state, offset)) this.#hold(slot);
      }
      at += 2 + size;
    }
  }

  #reading({ readings }: JournalBatch, row: number): void {
    const no = readings.no[row]!;
    if (no < this.next) return;
    this.#at(no, readings.time[row]!, readings.receivedAt[row]!);
    this.#pass();
    // Late readings are history: they neither step a rule nor count as news of the device.
    if ((readings.flags[row]! & FLAG.late) !== 0) return;
    const series = readings.series[row]!;
    const device = this.#bindings.subjects.device[series] ?? -1;
    if (device < 0) return;
    this.#hear(device);
    for (let slot = this.#bindings.subjects.firstSlot[series]!; slot >= 0; slot = this.#bindings.slots.next[slot]!)
      this.#step(slot, readings.value[row]!, readings.time[row]!);
  }

  #entry(entry: JournalEntry): void {
    this.#at(entry.no, entry.type === 'event' ? entry.time : entry.receivedAt, entry.receivedAt);
    this.#pass();
    if (entry.type !== 'event') return;
    const { device: id, point, event, detail } = entry;
    const device = this.#registry.devices.get(id);
    if (!device) {
      this.ignored++;
      return;
    }
    this.#hear(this.#bindings.subjects.numberOf(id));
    const verdict = verdictOf(event);
    if (!verdict) return;
    const cause = `${verdict.word}:${id}:${point}`;
    if (verdict.type === 'clear') {
      this.#clear(cause, { event, detail });
      return;
    }
    this.#emit({
      type: 'raise',
      ...this.#base(cause),
      class: verdict.class,
      level: null,
      device: id,
      point,
      site: device.site,
      zone: device.zone,
      rule: null,
      event,
      explanation: explainVerdict(event, detail),
      detail: { event, detail },
    });
  }

  #at(no: number, time: number, receivedAt: number): void {
    this.#no = no;
    this.#time = time;
    this.#receivedAt = receivedAt;
  }

  /** Time passes up to the entry at hand; what falls due does so before the entry itself acts. */
  #pass(): void {
    this.clock.hear(this.#receivedAt);
    if (this.#timers.next > this.clock.now) return;
    const time = this.#time;
    this.#time = this.#receivedAt;
    while (this.#timers.next <= this.clock.now) this.#wake(this.#timers.pop());
    this.#time = time;
  }

  #wake(slot: number): void {
    if (this.#bindings.slots.live[slot] !== 1) return;
    const { state, offset } = this.#bindings.slots;
    const rule = this.#bindings.ruleOf(slot);
    try {
      const due = rule.kind.wakeAt(state, offset[slot]!, rule.definition);
      if (due > this.clock.now) {
        this.#timers.arm(slot, due);
        return;
      }
      const upstream = this.#upstream(slot, rule);
      // Of a gateway and its child that fall due together the gateway comes first.
      if (upstream >= 0) this.#wake(upstream);
      const from = upstream < 0 ? -1 : offset[upstream]!;
      this.#act(slot, rule, rule.kind.wake(state, offset[slot]!, rule.definition, this.clock.now, from));
    } catch (error) {
      fail(rule, error);
    }
  }

  #step(slot: number, value: number, time: number): void {
    const rule = this.#bindings.ruleOf(slot);
    this.evaluations++;
    try {
      const offset = this.#bindings.slots.offset[slot]!;
      this.#stimulus.value = value;
      this.#stimulus.time = time;
      this.#stimulus.now = this.clock.now;
      const outcome = rule.kind.step(this.#bindings.slots.state, offset, rule.definition, this.#stimulus);
      if (outcome !== NOTHING) this.#act(slot, rule, outcome);
    } catch (error) {
      fail(rule, error);
    }
  }

  #act(slot: number, rule: Rule, outcome: Outcome): void {
    this.#timers.arm(
      slot,
      rule.kind.wakeAt(this.#bindings.slots.state, this.#bindings.slots.offset[slot]!, rule.definition),
    );
    if (outcome === RAISE) this.#raise(slot, rule);
    else if (outcome === CLEAR) this.#clear(this.#bindings.cause(slot, rule), {});
    else if (outcome === HOLD) this.#hold(slot);
  }

  /** The device gave news of itself, and thereby of its gateway. */
  #hear(device: number): void {
    const slot = this.#bindings.subjects.absence[device]!;
    if (slot >= 0) this.#step(slot, NaN, NaN);
    const gateway = this.#bindings.subjects.gateway[device]!;
    if (gateway >= 0) this.#hear(gateway);
    if (this.#holding.size > 0 && this.#holding.delete(device)) this.#releaseChildren(device);
  }

  #hold(slot: number): void {
    this.#holding.add(this.#bindings.subjects.gateway[this.#bindings.slots.subject[slot]!]!);
  }

  #releaseChildren(gateway: number): void {
    for (const child of this.#registry.children(this.#bindings.subjects.ids[gateway]!))
      this.#release(this.#bindings.subjects.numberOf(child), this.#bindings.subjects.absence[gateway]!);
  }

  #release(device: number, upstream: number): void {
    const slot = this.#bindings.subjects.absence[device] ?? -1;
    if (slot < 0) return;
    const { state, offset } = this.#bindings.slots;
    const { definition } = this.#bindings.ruleOf(slot);
    if (!isAbsenceRule(definition)) return;
    const from = upstream < 0 ? -1 : offset[upstream]!;
    if (absence.release(state, offset[slot]!, definition, this.clock.now, from))
      this.#timers.arm(slot, absence.wakeAt(state, offset[slot]!, definition));
  }

  /** Slot of the same kind of the device's gateway, or -1. */
  #upstream(slot: number, rule: Rule): number {
    if (rule.kind.type !== 'absence') return -1;
    const gateway = this.#bindings.subjects.gateway[this.#bindings.slots.subject[slot]!]!;
    return gateway < 0 ? -1 : this.#bindings.subjects.absence[gateway]!;
  }

  #raise(slot: number, rule: Rule): void {
    const { id, point } = this.#bindings.where(slot, rule);
    const device = this.#registry.devices.get(id);
    if (!device) return;
    const evidence = rule.kind.evidence(
      this.#bindings.slots.state,
      this.#bindings.slots.offset[slot]!,
      rule.definition,
      this.clock.now,
    );
    const affected = rule.kind.type === 'absence' ? this.#affected(id) : 0;
    if (affected > 0) evidence.affected = affected;
    this.#emit({
      type: 'raise',
      ...this.#base(this.#bindings.cause(slot, rule)),
      class: rule.definition.class,
      level: null,
      device: id,
      point,
      site: device.site,
      zone: device.zone,
      rule: rule.id,
      event: null,
      explanation: rule.kind.explain(rule.definition, evidence),
      detail: evidence,
    });
  }

  #clear(cause: string, detail: Record<string, unknown>): void {
    this.#emit({ type: 'clear', ...this.#base(cause), detail });
  }

  #base(cause: string) {
    return { no: this.#no, cause, time: this.#time, receivedAt: this.#receivedAt };
  }

  /** Children that had been heard: nothing is known of them while their gateway is gone. */
  #affected(gateway: string): number {
    let count = 0;
    for (const child of this.#registry.children(gateway)) {
      const slot = this.#bindings.subjects.absence[this.#bindings.subjects.numberOf(child)] ?? -1;
      if (slot >= 0 && absence.everHeard(this.#bindings.slots.state, this.#bindings.slots.offset[slot]!)) count++;
    }
    return count;
  }
}

function fail(rule: Rule, error: unknown): void {
  rule.errors++;
  rule.lastError = error instanceof Error ? error.message : String(error);
}
