import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BatchBuilder, type JournalBatch, type SeriesRow } from '@smart-fire/core';
import { createLog, openReadings } from '@smart-fire/core/node';
import { startInfluxd } from '../../harness/influxd.ts';
import { find } from '../../harness/require.ts';
import { type FigureGroup, figure, median, notMeasured } from './figure.ts';

const SERIES = 1000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5);

function seriesRows(): SeriesRow[] {
  return Array.from({ length: SERIES }, (_, index) => ({
    index,
    device: `bench-${index}`,
    point: '',
    metric: 'temperature',
  }));
}

/** Realistic noise: a slow daily rhythm, a resolution of 0.1 and some jitter of the clock. */
function* batches(readings: number): Generator<JournalBatch> {
  const builder = new BatchBuilder();
  const perBatch = 5000;
  let level = 0;
  for (let done = 0; done < readings; done += perBatch) {
    for (let i = done; i < done + perBatch; i++) {
      const series = i % SERIES;
      const time = START + Math.floor(i / SERIES) * 10_000 + Math.floor(Math.random() * 400) - 200;
      level += (Math.random() - 0.5) * 0.02;
      const value = Math.round((20 + level + 4 * Math.sin((2 * Math.PI * time) / DAY) + Math.random()) * 10) / 10;
      builder.addReading(series, time, time, value, 0);
    }
    const batch = builder.build();
    builder.clear();
    yield batch;
  }
}

/** One series at 1 Hz for a day. */
function* oneDay(no: number): Generator<JournalBatch> {
  const builder = new BatchBuilder(no);
  for (let second = 0; second < 86_400; second++) {
    builder.addReading(
      0,
      START + 2 * DAY + second * 1000,
      START + 2 * DAY + second * 1000,
      Math.round(Math.random() * 100) / 10,
      0,
    );
    if (second % 4800 === 4799) {
      const batch = builder.build();
      builder.clear();
      yield batch;
    }
  }
}

async function measure(url: string, dataDir: string, readings: number) {
  const store = openReadings(url, { dataDir, log: createLog('silent') });
  await store.open(seriesRows());
  const began = performance.now();
  let last = 1;
  for (const batch of batches(readings)) {
    await store.write([batch]);
    last = batch.firstNo + batch.count;
  }
  const written = readings / ((performance.now() - began) / 1000);
  for (const batch of oneDay(last)) await store.write([batch]);
  const query = {
    device: 'bench-0',
    point: '',
    metric: 'temperature' as const,
    from: START + 2 * DAY,
    to: START + 3 * DAY,
  };
  const times: number[] = [];
  for (let i = 0; i < 9; i++) {
    const asked = performance.now();
    const rows = await store.buckets(query, 300);
    if (rows.length < 299) throw new Error(`${url} answered ${rows.length} buckets of 300`);
    times.push(performance.now() - asked);
  }
  await store.close();
  return { written, queryMs: median(times) };
}

/** Write and query rates of both readings stores, and what a reading costs on disk. */
export const stores: FigureGroup = {
  keys: ['store_bytes_per_reading', 'query_day_vs_influx'],
  quick: ['store_bytes_per_reading'],
  async measure({ quick, say }) {
    const readings = quick ? 1_000_000 : 4_000_000;
    const dataDir = mkdtempSync(join(tmpdir(), 'bench-store-'));
    const embedded = await measure('sqlite:readings.db', dataDir, readings);
    const bytes =
      readdirSync(dataDir).reduce((sum, file) => sum + statSync(join(dataDir, file)).size, 0) / (readings + 86_400);
    rmSync(dataDir, { recursive: true, force: true });
    say(
      `embedded store: ${embedded.written.toFixed(0)} readings/s written, ${bytes.toFixed(2)} bytes each, a day at 1 Hz to 300 points in ${embedded.queryMs.toFixed(1)} ms`,
    );
    const figures = [
      figure('store_bytes_per_reading', [bytes]),
      figure('store_readings_written_per_second', [embedded.written]),
      figure('query_day_ms', [embedded.queryMs]),
    ];
    if (quick) return figures;
    if (!find('influxd')) return [...figures, notMeasured('query_day_vs_influx', 'influxd is not installed')];
    const influxd = await startInfluxd();
    try {
      const influx = await measure(influxd.readingsUrl, dataDir, 1_000_000);
      say(
        `InfluxDB: ${influx.written.toFixed(0)} readings/s written, the same query in ${influx.queryMs.toFixed(1)} ms`,
      );
      return [
        ...figures,
        figure('influx_readings_written_per_second', [influx.written]),
        figure('query_day_vs_influx', [embedded.queryMs / influx.queryMs]),
      ];
    } finally {
      await influxd.remove();
    }
  },
};
