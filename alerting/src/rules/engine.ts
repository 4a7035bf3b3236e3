import {
  FLAG,
  indexOfNo,
  type JournalBatch,
  type JournalEntry,
  ListenedClock,
  type Maintenance,
  type Refusal,
  type Registry,
  type Rule,
  type RuleSource,
  type SeriesRow,
} from '@smart-fire/core';
import { Bindings } from './bindings.ts';
import { type Feed, RuleCatalogue } from './catalogue.ts';
import type { CheckpointHead, CheckpointPart } from './checkpoint.ts';
import { Disturbances } from './disturbances.ts';
import type { Effect } from './effect.ts';
import { Foreseen } from './foreseen.ts';
import { type LearnedSeries, learnedOf, scoreOf } from './inspection.ts';
import { absence } from './kinds/absence.ts';
import { CLEAR, HOLD, NOTHING, type Outcome, RAISE, type Stimulus } from './kinds/kind.ts';
import { explainVerdict, verdictOf } from './kinds/verdict.ts';
import { fail, type LiveRule, timeFor, type Variant } from './live-rule.ts';
import { type Moment, Raising } from './raising.ts';
import { AHEAD, ReadAhead } from './read-ahead.ts';
import { Silences } from './silences.ts';
import { LIVE, RAISED, WITHHELD } from './slots.ts';
import { restorePart, type Snapshot, takeSnapshot } from './snapshot.ts';
import { Withholding } from './withholding.ts';

/** When a rule that threw while it was raised is tried again (ms of listened time). */
const RETRY_MS = 60_000;
const DEVICES_AT_A_TIME = 1000;

export interface EngineDeps {
  registry: Registry;
  rules: readonly Rule[];
  maintenance?: readonly Maintenance[];
  series: readonly SeriesRow[];
  /** Called within `consume`, in order; its `no` never falls, unless entries were refused. */
  emit: (effect: Effect) => void;
  /** Told what maintenance and schedules keep from becoming an alarm. */
  withheld?: Pick<RuleSource, 'withhold' | 'withheldOver'>;
  /** IANA, for schedules. */
  timeZone: string;
  /** Listened time between two entries at most (ms); two ticks when left out. */
  gapLimitMs?: number;
  /** How many devices come to changed rules in one go; what is held up meanwhile waits some ms. */
  devicesAtATime?: number;
  /** Keeps the figures of what is quiet too, so that `score` knows how far it is from its limit. */
  keepQuiet?: boolean;
}

/**
 * The rules over the journal: a pure function of (state, entry), with the registry and the rules as its configuration. No clock, no I/O, no
 * timers of its own: time is what the entries say, so a replay gives the same effects. Nothing is allocated per reading.
 */
export class Engine {
  /** Number of the next entry; what is below it is skipped, so a batch may come again. */
  next = 1;
  /** Events of devices that no longer exist. */
  ignored = 0;
  readonly clock: ListenedClock;
  readonly #registry: Registry;
  readonly #catalogue: RuleCatalogue;
  readonly #bindings: Bindings;
  readonly #readAhead: ReadAhead;
  readonly #raising: Raising;
  readonly #withholding: Withholding;
  readonly #silences: Silences;
  readonly #disturbances = new Disturbances();
  readonly #foreseen = new Foreseen();
  readonly #emit: (effect: Effect) => void;
  readonly #keepQuiet: boolean;
  readonly #devicesAtATime: number;
  readonly #moment: Moment = { no: 0, time: 0, receivedAt: 0 };
  readonly #stimulus: Stimulus = { input: 0, source: 0, value: NaN, time: NaN, now: 0, learn: true };
  /** Row up to which devices have been looked up. */
  #looked = 0;
  /** Steps that readings led to, silence not counted. */
  #fed = 0;
  /** State of what is fresh, while it is stepped: most of it is fresh again afterwards and takes no room. */
  #fresh = new Float64Array(16);

  constructor(deps: EngineDeps) {
    const { registry, rules, maintenance = [], series, emit, withheld = null, timeZone } = deps;
    this.#registry = registry;
    this.#emit = emit;
    this.#keepQuiet = deps.keepQuiet ?? false;
    this.#devicesAtATime = deps.devicesAtATime ?? DEVICES_AT_A_TIME;
    this.clock = new ListenedClock(deps.gapLimitMs);
    this.#withholding = new Withholding(registry, timeZone);
    this.#catalogue = new RuleCatalogue(registry);
    this.#raising = new Raising({
      ...{ registry, clock: this.clock, moment: this.#moment, emit, withheld, withholding: this.#withholding },
      ...{ disturbances: this.#disturbances, bindings: () => this.#bindings },
    });
    this.#bindings = new Bindings(registry, this.#catalogue, {
      dropped: (slot, variant, reason) => this.#raising.clear(slot, variant, { reason }),
      relabelled: (slot, before) => this.#relabelled(slot, before),
    });
    this.#readAhead = new ReadAhead(this.#bindings);
    this.#silences = new Silences(registry, this.#bindings, this.clock, {
      act: (slot, variant, outcome) => this.#act(slot, variant, outcome),
      arm: (slot, variant) => this.#arm(slot, variant),
      broken: (slot, variant, error) => this.#broken(slot, variant, error),
    });
    this.#withholding.setMaintenance(maintenance);
    this.#catalogue.set(rules);
    this.#bindings.begin(series);
  }

  /** Steps of rules taken so far. */
  get evaluations(): number {
    return this.#fed + this.#silences.evaluations;
  }

  get stateBytes(): number {
    const { slots, timers, subjects } = this.#bindings;
    return slots.bytes + timers.bytes + subjects.bytes;
  }

  /** Listened time of the earliest deadline; Infinity when there is none. */
  get nextWake(): number {
    return this.#bindings.timers.next;
  }

  /** The rules in force, with what has gone wrong in them. */
  rules(): readonly LiveRule[] {
    return this.#catalogue.all();
  }

  consume(batch: JournalBatch): void {
    for (const row of batch.newSeries) this.#bindings.addSeries(row);
    const { readings, entries, firstNo, count } = batch;
    if (firstNo + count <= this.next) return;
    let row = indexOfNo(readings.no, readings.length, this.next);
    this.#looked = row;
    for (const entry of entries) {
      if (entry.no < this.next) continue;
      while (row < readings.length && readings.no[row]! < entry.no) this.#reading(batch, row++);
      this.#entry(entry);
    }
    while (row < readings.length) this.#reading(batch, row++);
    this.next = firstNo + count;
  }

  /** What rules have seen of it they have seen; it is not stepped again when it comes again. */
  refused({ no, batches, kept }: Refusal): void {
    for (const batch of batches) this.#foreseen.add(batch, no, this.next);
    this.next = no + kept.length;
  }

  /**
   * Other rules or windows from now on (`now` ms UTC). State is kept, but for rules that are gone or whose state is made of other things now;
   * an unchanged rule is the same object as before. To be followed by `settle`.
   */
  setRules(rules: readonly Rule[], maintenance: readonly Maintenance[], now: number): void {
    this.#at(this.next - 1, now, now);
    this.#withholding.setMaintenance(maintenance);
    this.#catalogue.set(rules);
    this.#bindings.outdated('rule-changed');
    this.#bindings.sweep(this.#devicesAtATime);
    this.#raising.lookAgain();
  }

  /**
   * After changed rules or places: takes the next thousand devices to the rules they have now, which ends what nobody watches any more;
   * true when all have come to them. Whatever a device sends is judged by its rules of now all the same.
   */
  settle(now: number): boolean {
    this.#at(this.next - 1, now, now);
    return this.#bindings.sweep(this.#devicesAtATime);
  }

  /** The device was added, changed or removed (`now` ms UTC). State is kept unless its rules are others now. */
  refresh(id: string, now: number): void {
    this.#at(this.next - 1, now, now);
    if (this.#registry.indexOf(id) < 0) return;
    const registered = this.#registry.devices.get(id);
    const device = this.#bindings.subjects.addDevice(id);
    if (!registered) this.#disturbances.forget(device);
    this.#bind(device, registered ? (registered.disabled ? 'device-disabled' : 'device-changed') : 'device-removed');
    for (const child of this.#registry.children(id)) this.#bind(this.#bindings.subjects.addDevice(child), '');
    if (this.#bindings.subjects.silence(device) === -1) this.#silences.releaseChildren(device);
  }

  /** Areas, sites or zones have changed: rules that name places may be for other devices now. To be followed by `settle`. */
  refreshPlaces(now: number): void {
    if (!this.#catalogue.placed) return;
    this.#at(this.next - 1, now, now);
    this.#catalogue.forgetPlaces();
    this.#bindings.outdated('place-changed');
    this.#bindings.sweep(this.#devicesAtATime);
  }

  /** Makes book and engine agree after a start: the registry may have changed while we were down. `now` ms UTC. */
  reconcile(active: Iterable<string>, now: number): void {
    this.#at(this.next - 1, now, now);
    const { slots } = this.#bindings;
    const unfounded = new Set(active);
    for (const slot of slots.all()) {
      if (!slots.has(slot, RAISED) || slots.has(slot, WITHHELD)) continue;
      const variant = this.#bindings.variantOf(slot);
      if (variant.mode === 'on' && !unfounded.delete(this.#bindings.cause(slot, variant)))
        this.#raising.raise(slot, variant);
    }
    for (const cause of unfounded) this.#clear(cause, { reason: 'rule-gone' });
  }

  /** What a restart needs, as it is now; its parts may be written while the engine goes on. */
  snapshot(): Snapshot {
    const { now: listened, last, deaf, deafMs } = this.clock;
    const { ids } = this.#bindings.subjects;
    const disturbed = this.#disturbances.entries(listened).map(([device, words, tested]) => ({
      ...{ device: ids[device]!, words, tested },
    }));
    const head = { next: this.next, listened, last: Number.isNaN(last) ? null : last, deaf, deafMs, disturbed };
    return takeSnapshot(head, this.#foreseen.entries(), this.#bindings, this.#catalogue);
  }

  /** Into a fresh engine. State of rules, series and devices that are no more is dropped. */
  restore({ next, listened, last, deaf, deafMs, disturbed }: CheckpointHead, parts: Iterable<CheckpointPart>): void {
    this.next = next;
    Object.assign(this.clock, { now: listened, last: last ?? NaN, deaf, deafMs });
    for (const { device, words, tested } of disturbed) {
      const number = this.#bindings.subjects.numberOf(device);
      if (number >= 0) this.#disturbances.restore(number, words, tested);
    }
    for (const part of parts) {
      this.#foreseen.restore(part.foreseen, (series) => this.#bindings.subjects.device(series) >= 0);
      restorePart(part, this.#bindings, this.#catalogue, (slot, variant, withheld) => {
        if (this.#guarded(variant, () => variant.kind.raised(this.#state, this.#offset(slot))))
          this.#raising.restored(slot, variant, withheld);
        this.#arm(slot, variant);
        if (variant.subject === 'silence' && absence.held(this.#state, this.#offset(slot))) this.#silences.hold(slot);
      });
    }
  }

  /** How far a rule is from its limit for a device (1 = at it): the highest of what it judges there; null when it has seen nothing. */
  score(rule: string, device: string): number | null {
    return scoreOf(this.#bindings, rule, device);
  }

  /** What a rule holds for normal of a device; null when it learns nothing or is still learning. */
  learned(rule: string, device: string): LearnedSeries[] | null {
    return learnedOf(this.#bindings, rule, device);
  }

  /** Forgets what a rule has learned and seen of a device, of a rule on zones: of its zone. `now` ms UTC. */
  reset(rule: string, device: string, now: number): void {
    this.#at(this.next - 1, now, now);
    for (const slot of this.#bindings.slotsOf(this.#bindings.subjects.numberOf(device))) {
      const variant = this.#bindings.variantOf(slot);
      if (variant.live.id !== rule) continue;
      this.#raising.clear(slot, variant, { reason: 'rule-reset' });
      this.#forget(slot, variant);
    }
  }

  #reading({ readings }: JournalBatch, row: number): void {
    if (row === this.#looked) {
      this.#readAhead.look(readings.series, row, readings.length);
      this.#looked += AHEAD;
    }
    const time = readings.time[row]!;
    this.#begin(readings.no[row]!, time, readings.receivedAt[row]!);
    // Late readings are history: they neither step a rule nor count as news of the device.
    if ((readings.flags[row]! & FLAG.late) !== 0) return;
    const { subjects } = this.#bindings;
    const series = readings.series[row]!;
    const device = subjects.device(series);
    if (device < 0) return;
    this.#silences.hear(device);
    if (this.#foreseen.has(series, time)) return;
    const plan = this.#catalogue.plans[subjects.plan(device)]!;
    const metric = subjects.metric(series);
    const { feeds, low, high } =
      plan.feeds[metric] ?? this.#catalogue.feedsOf(plan, metric, subjects.metricNames[metric]!);
    const value = readings.value[row]!;
    // The usual case: no rule remembers anything of the series, and the value is on the good side of every limit.
    if (value >= low && value <= high && subjects.firstSlot(series) < 0 && !this.#keepQuiet) {
      this.#fed += feeds.length;
      return;
    }
    for (let i = 0; i < feeds.length; i++) this.#feed(feeds[i]!, series, device, value, time);
  }

  #entry(entry: JournalEntry): void {
    this.#begin(entry.no, entry.type === 'event' ? entry.time : entry.receivedAt, entry.receivedAt);
    if (entry.type === 'tick') this.clock.deaf = entry.deaf ?? false;
    if (entry.type !== 'event') return;
    const { device: id, point, event, detail } = entry;
    const device = this.#registry.devices.get(id);
    if (!device) return void this.ignored++;
    const number = this.#bindings.subjects.numberOf(id);
    this.#silences.hear(number);
    if (event === 'test') this.#disturbances.tested(number, this.clock.now);
    const verdict = verdictOf(event);
    if (!verdict) return;
    const cause = `${verdict.word}:${id}:${point}`;
    if (verdict.type === 'clear') {
      this.#disturbances.restored(number, verdict.word, point);
      this.#clear(cause, { event, detail });
      return;
    }
    this.#disturbances.declare(number, verdict.word, point);
    this.#emit({
      ...{ type: 'raise', ...this.#moment, cause, class: verdict.class, level: null, shadow: false },
      ...{ device: id, point, site: device.site, zone: device.zone, rule: null, event },
      ...{ explanation: explainVerdict(event, detail), detail: { event, detail } },
    });
  }

  #at(no: number, time: number, receivedAt: number): void {
    this.#moment.no = no;
    this.#moment.time = time;
    this.#moment.receivedAt = receivedAt;
  }

  /** An entry's turn: it has only one, also when something it leads to throws. */
  #begin(no: number, time: number, receivedAt: number): void {
    this.next = no + 1;
    this.#at(no, time, receivedAt);
    this.#pass();
  }

  /** Time passes up to the entry at hand; what falls due does so before the entry itself acts. */
  #pass(): void {
    const { timers } = this.#bindings;
    const moment = this.#moment;
    this.clock.hear(moment.receivedAt);
    if (timers.next > this.clock.now && moment.receivedAt < this.#withholding.boundary) return;
    const { time } = moment;
    moment.time = moment.receivedAt;
    while (timers.next <= this.clock.now) this.#wake(timers.pop());
    if (moment.receivedAt >= this.#withholding.boundary) this.#raising.lookAgain();
    moment.time = time;
  }

  #wake(slot: number): void {
    if (!this.#bindings.settleSlot(slot)) return;
    const variant = this.#bindings.variantOf(slot);
    const { kind, definition } = variant;
    try {
      const due = this.#dueAt(slot, variant);
      if (due > this.clock.now) {
        this.#bindings.timers.arm(slot, due);
        return;
      }
      const upstream = this.#silences.upstream(slot, variant);
      // Of a gateway and its child that fall due together the gateway comes first.
      if (upstream >= 0) this.#wake(upstream);
      const from = upstream < 0 ? -1 : this.#offset(upstream);
      this.#bindings.slots.touch(slot);
      this.#act(
        slot,
        variant,
        kind.wake(this.#state, this.#offset(slot), definition, timeFor(variant, this.clock), from),
      );
    } catch (error) {
      this.#broken(slot, variant, error);
    }
  }

  #feed({ variant, input }: Feed, series: number, device: number, value: number, time: number): void {
    const { kind, definition, size } = variant;
    const subject = this.#bindings.subjectOf(variant, series);
    let slot = this.#bindings.find(variant, subject);
    this.#fed++;
    const stimulus = this.#stimulus;
    stimulus.input = input;
    stimulus.source = variant.subject === 'series' ? series : this.#bindings.subjects.lead(series);
    stimulus.value = value;
    stimulus.time = time;
    stimulus.now = this.clock.now;
    stimulus.learn = !variant.learns || this.#mayLearn(slot, device);
    try {
      let outcome: Outcome;
      if (slot >= 0) {
        this.#bindings.slots.touch(slot);
        outcome = kind.step(this.#state, this.#offset(slot), definition, stimulus);
      } else {
        const fresh = this.#freshState(size);
        outcome = kind.step(fresh, 0, definition, stimulus);
        if (Number.isNaN(fresh[0]!) && !this.#keepQuiet) return;
        slot = this.#bindings.allocate(variant, subject);
        this.#state.set(fresh.subarray(0, size), this.#offset(slot));
        if (variant.subject === 'zone') this.#bindings.setSource(slot, variant, series);
      }
      if (outcome === NOTHING) this.#releaseFresh(slot, variant);
      else {
        if (variant.subject === 'zone') this.#bindings.setSource(slot, variant, series);
        this.#act(slot, variant, outcome);
      }
    } catch (error) {
      if (slot >= 0) this.#broken(slot, variant, error);
      else fail(variant.live, error);
    }
  }

  #act(slot: number, variant: Variant, outcome: Outcome): void {
    this.#bindings.timers.arm(slot, this.#dueAt(slot, variant));
    if (outcome === RAISE) this.#raising.raise(slot, variant);
    else if (outcome === CLEAR) this.#raising.clear(slot, variant, {});
    else if (outcome === HOLD) this.#silences.hold(slot);
    this.#releaseFresh(slot, variant);
  }

  #bind(device: number, reason: string): void {
    const { subjects } = this.#bindings;
    const gateway = subjects.gateway(device);
    this.#bindings.bind(device, reason);
    if (subjects.gateway(device) !== gateway)
      this.#silences.release(device, subjects.silence(subjects.gateway(device)));
  }

  #relabelled(slot: number, before: Variant): void {
    // Its deadline may be an earlier or a later one now.
    this.#bindings.timers.remove(slot);
    this.#arm(slot, this.#bindings.variantOf(slot));
    this.#raising.relabelled(slot, before);
  }

  #mayLearn(slot: number, device: number): boolean {
    if (slot >= 0 && this.#bindings.slots.has(slot, RAISED)) return false;
    const { subjects } = this.#bindings;
    if (this.#disturbances.disturbed(device, subjects.zone(device), this.clock.now)) return false;
    if (!this.#withholding.announced) return true;
    const registered = this.#registry.devices.get(subjects.ids[device]!);
    return !registered || !this.#withholding.inMaintenance(registered, this.#moment.receivedAt);
  }

  /** A rule threw: what it had in hand is begun anew, unless an alarm stands on it. */
  #broken(slot: number, variant: Variant, error: unknown): void {
    fail(variant.live, error);
    const { slots, timers } = this.#bindings;
    if (!slots.has(slot, LIVE)) return;
    if (slots.has(slot, RAISED)) timers.arm(slot, this.clock.now + RETRY_MS);
    else this.#forget(slot, variant);
  }

  #forget(slot: number, variant: Variant): void {
    const offset = this.#offset(slot);
    this.#bindings.slots.touch(slot);
    this.#bindings.timers.remove(slot);
    this.#state.fill(NaN, offset, offset + variant.size);
    if (variant.subject !== 'silence') this.#bindings.release(slot, variant);
  }

  #releaseFresh(slot: number, variant: Variant): void {
    if (this.#keepQuiet || variant.subject === 'silence') return;
    const { slots } = this.#bindings;
    if (Number.isNaN(slots.state[slots.offset(slot)]!) && !slots.has(slot, RAISED))
      this.#bindings.release(slot, variant);
  }

  #freshState(size: number): Float64Array {
    if (this.#fresh.length < size) this.#fresh = new Float64Array(size);
    if (size > 8) return this.#fresh.fill(NaN, 0, size);
    for (let i = 0; i < size; i++) this.#fresh[i] = NaN;
    return this.#fresh;
  }

  /** Listened time at which it is to be woken, as far as is known: it goes on while nobody is silent. */
  #dueAt(slot: number, variant: Variant): number {
    const due = variant.kind.wakeAt(this.#state, this.#offset(slot), variant.definition);
    return variant.subject === 'silence' ? due + this.clock.deafMs : due;
  }

  #arm(slot: number, variant: Variant): void {
    this.#guarded(variant, () => this.#bindings.timers.arm(slot, this.#dueAt(slot, variant)));
  }

  #guarded<T>({ live }: Variant, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      fail(live, error);
      return undefined;
    }
  }

  #clear(cause: string, detail: Record<string, unknown>): void {
    this.#emit({ type: 'clear', ...this.#moment, cause, shadow: false, detail });
  }

  get #state(): Float64Array {
    return this.#bindings.slots.state;
  }

  #offset(slot: number): number {
    return this.#bindings.slots.offset(slot);
  }
}
