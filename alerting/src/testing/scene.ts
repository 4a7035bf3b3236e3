import {
  BatchBuilder,
  FLAG,
  type JournalBatch,
  type Metric,
  Registry,
  type RuleDefinition,
  type SensorKind,
  type SeriesRow,
} from '@smart-fire/core';

const source = { zh: '测试', en: 'test' };
const silent = (afterMs: number): RuleDefinition => ({
  ...{ type: 'absence', id: 'absence', class: 'fault', zh: '失联', en: 'Silent', source },
  afterMs,
});

function kind(name: string, rules: RuleDefinition[]): SensorKind {
  return {
    ...{ kind: name, zh: name, en: name, metrics: [], intervalMs: 10_000, alertIntervalMs: 1000, rules },
    simulate: () => ({ sample: () => ({}), event: () => null }),
  };
}

/** Sensor kinds with round figures: `pump` (pressure below 100 kPa for 5 s), `heat` (70 °C at once, a fire), silence after 60 s; gateway 30 s. */
export const KINDS: SensorKind[] = [
  kind('pump', [
    {
      ...{ type: 'threshold', id: 'low', class: 'supervisory', zh: '水压低', en: 'Low pressure', source },
      ...{ metric: 'pressure', direction: 'below', limit: 100, hysteresis: 10, forMs: 5000 },
    },
    silent(60_000),
  ]),
  kind('heat', [
    {
      ...{ type: 'threshold', id: 'hot', class: 'fire', zh: '高温', en: 'Hot', source },
      ...{ metric: 'temperature', direction: 'above', limit: 70, hysteresis: 10, forMs: 0 },
    },
    silent(60_000),
  ]),
  kind('gateway', [silent(30_000)]),
];

/** A county in miniature that writes journal batches: devices of two sites, and what they send, second by second. */
export class Scene {
  readonly registry = new Registry();
  readonly series: SeriesRow[] = [];
  /** Our clock, ms UTC. */
  now = Date.UTC(2026, 0, 1);
  readonly #builder = new BatchBuilder();

  constructor() {
    this.registry.putArea({ id: 'a', parent: null, level: 'city', name: 'A', code: null, path: '/a/' });
    for (const id of ['s1', 's2'])
      this.registry.putSite({ id, area: 'a', name: id, address: '', contacts: [], path: `/a/${id}/` });
  }

  device(
    id: string,
    sensorKind: string,
    more: { site?: string; gateway?: string; zone?: string; disabled?: boolean } = {},
  ): this {
    const { site = 's1', gateway = null, zone = null, disabled = false } = more;
    this.registry.putDevice({
      ...{ id, kind: sensorKind, name: id, site, zone, gateway, location: '', disabled },
      ...{ createdAt: 0, secretHash: '' },
    });
    return this;
  }

  reading(
    device: string,
    metric: Metric,
    value: number,
    more: { time?: number; late?: boolean; point?: string } = {},
  ): this {
    const { time = this.now, late = false, point = '' } = more;
    let row = this.series.find((one) => one.device === device && one.metric === metric && one.point === point);
    if (!row) {
      row = { index: this.series.length, device, point, metric };
      this.series.push(row);
      this.#builder.addSeries(row);
    }
    this.#builder.addReading(row.index, time, this.now, value, late ? FLAG.late : 0);
    return this;
  }

  /** One more reading of a series that is there already, without looking anything up. */
  readAgain(series: number, value: number): void {
    this.#builder.addReading(series, this.now, this.now, value, 0);
  }

  event(device: string, event: string, point = ''): this {
    this.#builder.addEntry({
      ...{ type: 'event', device, point, event, detail: null, flags: 0 },
      ...{ time: this.now, deviceTime: null, receivedAt: this.now },
    });
    return this;
  }

  /** Time passes with a tick each second; `each` may add what is sent in that second. */
  seconds(count: number, each: (second: number) => void = () => undefined): this {
    for (let second = 1; second <= count; second++) {
      this.now += 1000;
      this.#tick();
      each(second);
    }
    return this;
  }

  /** Time passes in which telemetry is refused. */
  deafSeconds(count: number): this {
    for (let second = 1; second <= count; second++) {
      this.now += 1000;
      this.#tick({ deaf: true });
    }
    return this;
  }

  #tick(more: { deaf?: true } = {}): void {
    this.#builder.addEntry({ type: 'tick', receivedAt: this.now, ...more });
  }

  get nextNo(): number {
    return this.#builder.firstNo;
  }

  /** Everything since the last `batch`, while it is on its way to the disk. */
  arrived(): JournalBatch {
    return this.#builder.soFar();
  }

  /** Everything since the last `batch` is refused; the next one has this number. */
  refused(no = this.#builder.firstNo): void {
    this.#builder.clear(no);
  }

  /** Everything since the last call as one commit. */
  batch(): JournalBatch {
    const batch = this.#builder.build();
    this.#builder.clear();
    return batch;
  }
}
