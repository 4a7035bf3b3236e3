import { BatchBuilder, type JournalBatch, Registry, type SeriesRow } from '@smart-fire/core';
import { ALERT_METRIC, CHILD_KIND, GATEWAY_KIND, READING_METRIC } from '../fleet.ts';

const CHILDREN = 20;
const START = Date.UTC(2026, 0, 5);
const BATCH = 10_000;

/** Devices behind gateways as the registry and the journal hold them, without a server; and what they send, in any amount. */
export class EngineCounty {
  readonly registry = new Registry();
  readonly series: SeriesRow[] = [];
  /** Series of the detectors' ordinary readings. */
  readonly readingSeries: Uint32Array;
  readonly #builder = new BatchBuilder();
  #now = START;

  /** So many detectors, and a gateway for every 20. */
  constructor(devices: number) {
    this.registry.putArea({ id: 'a', parent: null, level: 'city', name: 'A', code: null, path: '/a/' });
    this.registry.putSite({ id: 's', area: 'a', name: 'S', address: '', contacts: [], path: '/a/s/' });
    this.readingSeries = new Uint32Array(devices);
    let gateway = '';
    for (let device = 0; device < devices; device++) {
      if (device % CHILDREN === 0) {
        gateway = `gateway-${device / CHILDREN}`;
        this.#add(gateway, GATEWAY_KIND, null, ['voltage', ALERT_METRIC]);
      }
      this.readingSeries[device] = this.series.length;
      this.#add(`detector-${device}`, CHILD_KIND, gateway, [READING_METRIC, ALERT_METRIC]);
    }
  }

  /** One reading of each of these series, a second later than the last, in batches. */
  *round(series: Iterable<number>, value: (series: number) => number): Generator<JournalBatch> {
    this.#now += 1000;
    this.#builder.addEntry({ type: 'tick', receivedAt: this.#now });
    for (const index of series) {
      this.#builder.addReading(index, this.#now, this.#now, value(index), 0);
      if (this.#builder.count >= BATCH) yield this.#batch();
    }
    yield this.#batch();
  }

  /** Readings that no rule finds anything wrong with. */
  normal(series: number): number {
    const { metric } = this.series[series]!;
    return metric === READING_METRIC ? 2 + (series % 10) / 10 : metric === ALERT_METRIC ? 90 : 225;
  }

  #add(id: string, kind: string, gateway: string | null, metrics: readonly SeriesRow['metric'][]): void {
    this.registry.putDevice({
      ...{ id, kind, gateway, name: id, site: 's', zone: null, location: '', disabled: false, createdAt: 0 },
      secretHash: '',
    });
    for (const metric of metrics) this.series.push({ index: this.series.length, device: id, point: '', metric });
  }

  #batch(): JournalBatch {
    const batch = this.#builder.build();
    this.#builder.clear();
    return batch;
  }
}
