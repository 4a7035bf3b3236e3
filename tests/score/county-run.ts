import { type Effect, Engine } from '@smart-fire/alerting';
import { type Disturbance, type JournalEntry, Registry, type Rule, type SeriesRow } from '@smart-fire/core';
import { getSensorKind, seeded } from '@smart-fire/core/sensors';
import { type County, createSimulatedDevice, type SimulatedDevice } from '@smart-fire/simulators';

/** Readings handed to the engine at a time. */
const BATCH = 8192;
/** Reporting at the quick pace goes on so long after a disturbance, as the fleet does it (ms). */
const SETTLE_MS = 300_000;

export interface CountyRunOptions {
  county: County;
  rules: readonly Rule[];
  /** ms UTC of the first sample. */
  from: number;
  seed: number;
  onEffect: (effect: Effect) => void;
  /** What a device declares itself, as it does. */
  onEvent?: (device: string, event: string, time: number) => void;
  disturbance?: (device: string, time: number) => Disturbance | null;
}

interface Member {
  id: string;
  model: SimulatedDevice;
  /** Series by metric. */
  series: Map<string, number>;
  due: number;
  quickUntil: number;
}

/** A simulated county in no time: the real sensor models at the pace of the catalogue, through the real engine. */
export class CountyRun {
  readings = 0;
  readonly registry = new Registry();
  readonly engine: Engine;
  readonly #options: CountyRunOptions;
  /** A binary heap by `due`. */
  readonly #heap: Member[] = [];
  readonly #random: () => number;
  readonly #columns = {
    ...{ length: 0, no: new Float64Array(BATCH + 16), series: new Uint32Array(BATCH + 16) },
    ...{ time: new Float64Array(BATCH + 16), receivedAt: new Float64Array(BATCH + 16) },
    ...{ value: new Float64Array(BATCH + 16), flags: new Uint8Array(BATCH + 16) },
  };
  #entries: JournalEntry[] = [];
  #newSeries: SeriesRow[] = [];
  #seriesCount = 0;
  #next = 1;

  constructor(options: CountyRunOptions) {
    this.#options = options;
    this.#random = seeded(options.seed);
    const { county, rules, from, seed, onEffect } = options;
    furnish(this.registry, county);
    this.engine = new Engine({
      ...{
        registry: this.registry,
        rules,
        series: [],
        emit: onEffect,
        timeZone: 'Asia/Shanghai',
        gapLimitMs: Infinity,
      },
    });
    for (const [index, { id, kind }] of county.devices.entries()) {
      const sensor = getSensorKind(kind)!;
      const model = createSimulatedDevice(sensor, seed * 1_000_003 + index, from);
      const due = from + sensor.intervalMs * this.#random();
      this.#push({ id, model, series: new Map(), due, quickUntil: 0 });
    }
  }

  /** Up to `time` (ms UTC). */
  advance(time: number): void {
    while (this.#heap.length > 0 && this.#heap[0]!.due < time) this.#sample(this.#pop());
    this.#flush();
  }

  #sample(member: Member): void {
    const { onEvent, disturbance } = this.#options;
    const time = Math.round(member.due);
    const disturbed = disturbance?.(member.id, time) ?? null;
    if (disturbed) member.quickUntil = time + SETTLE_MS;
    const { kind } = member.model;
    const pace = time < member.quickUntil ? kind.alertIntervalMs : kind.intervalMs;
    member.due += pace * (0.98 + 0.04 * this.#random());
    const { values, event } = member.model.sample(time, disturbed ?? {});
    if (event) {
      onEvent?.(member.id, event.event, time);
      this.#entries.push({
        ...{ no: this.#next++, type: 'event', device: member.id, point: '', event: event.event },
        ...{ detail: event.detail ?? null, time, deviceTime: time, receivedAt: time, flags: 0 },
      });
    }
    for (const metric in values) this.#reading(this.#seriesOf(member, metric), time, values[metric as never]);
    this.#push(member);
    if (this.#columns.length >= BATCH) this.#flush();
  }

  #reading(series: number, time: number, value: number): void {
    const columns = this.#columns;
    const row = columns.length++;
    columns.no[row] = this.#next++;
    columns.series[row] = series;
    columns.time[row] = columns.receivedAt[row] = time;
    columns.value[row] = value;
    this.readings++;
  }

  #seriesOf(member: Member, metric: string): number {
    const known = member.series.get(metric);
    if (known !== undefined) return known;
    const index = this.#seriesCount++;
    member.series.set(metric, index);
    this.#newSeries.push({ index, device: member.id, point: '', metric } as SeriesRow);
    return index;
  }

  #flush(): void {
    const { engine } = this;
    const batch = { firstNo: engine.next, count: this.#next - engine.next, readings: this.#columns };
    engine.consume({ ...batch, entries: this.#entries, newSeries: this.#newSeries });
    this.#columns.length = 0;
    this.#entries = [];
    this.#newSeries = [];
  }

  #push(member: Member): void {
    const heap = this.#heap;
    let at = heap.push(member) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (heap[parent]!.due <= member.due) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = member;
  }

  #pop(): Member {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && heap[child + 1]!.due < heap[child]!.due) child++;
      if (heap[child]!.due >= last.due) break;
      heap[at] = heap[child]!;
      at = child;
    }
    if (heap.length > 0) heap[at] = last;
    return first;
  }
}

/** Kinds of rules that say what is, not what is coming. */
const PRESENT = new Set(['verdict', 'threshold', 'absence']);

/** Whether a rule warns ahead: its class says so, or it looks for trends and departures (water systems warn under class supervisory). */
export function warnsAhead({ definition }: Rule): boolean {
  return definition.class === 'early-warning' || !PRESENT.has(definition.type);
}

/** The county as the engine sees it. */
function furnish(registry: Registry, { areas, sites, zones, devices }: County): void {
  for (const area of areas)
    registry.putArea({ ...area, path: `${registry.areas.get(area.parent ?? '')?.path ?? '/'}${area.id}/` });
  for (const site of sites) registry.putSite({ ...site, path: `${registry.areas.get(site.area)!.path}${site.id}/` });
  for (const zone of zones) registry.putZone(zone);
  for (const device of devices) registry.putDevice({ ...device, disabled: false, createdAt: 0, secretHash: '' });
}
