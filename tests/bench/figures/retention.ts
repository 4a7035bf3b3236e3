import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BatchBuilder, type ReadingsStore } from '@smart-fire/core';
import { createLog, openReadings } from '@smart-fire/core/node';
import { type FigureGroup, figure, percentile } from './figure.ts';

const SERIES = 1000;
const OLD = 10_000_000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5);
/** Readings of a write, and the time between two: 20,000 readings a second. */
const BATCH = 200;
const EVERY_MS = 10;
const ALONE_MS = 4000;

/** Writes as the writer does: numbers count on, series take turns. */
function createWriter(store: ReadingsStore) {
  const builder = new BatchBuilder();
  let row = 0;
  return async (count: number, timeOf: (row: number) => number): Promise<void> => {
    for (let added = 0; added < count; added++, row++) {
      const time = timeOf(row);
      builder.addReading(row % SERIES, time, time, Math.round(200 + 20 * Math.random()) / 10, 0);
    }
    const batch = builder.build();
    builder.clear();
    await store.write([batch]);
  };
}

/** Latencies (ms) of paced writes until `until` says so. */
async function paced(write: () => Promise<void>, until: () => boolean): Promise<number[]> {
  const latencies: number[] = [];
  for (let due = performance.now(); !until(); due += EVERY_MS) {
    await pause(Math.max(0, due - performance.now()));
    // A write that waits for the one before has waited since it was due.
    const began = Math.min(due, performance.now());
    await write();
    latencies.push(performance.now() - began);
  }
  return latencies;
}

/** How long a write of the embedded store takes at 20,000 readings a second, while nothing else happens and while retention makes trends of millions. */
export const retention: FigureGroup = {
  keys: ['write_p99_ms_while_retaining'],
  quick: [],
  async measure({ say }) {
    const dataDir = mkdtempSync(join(tmpdir(), 'bench-retention-'));
    const store = openReadings('sqlite:readings.db', { dataDir, log: createLog('silent') });
    try {
      await store.open(
        Array.from({ length: SERIES }, (_, index) => ({ index, device: `d${index}`, point: '', metric: 'co' })),
      );
      const write = createWriter(store);
      for (let done = 0; done < OLD; done += 10_000)
        await write(10_000, (row) => START + Math.floor(row / SERIES) * 10_000);
      // Time has passed, and everything old is in the file.
      const one = () => write(BATCH, (row) => START + 60 * DAY + (row - OLD) / 20);
      await paced(one, stopAfter(1000));
      const alone = await paced(one, stopAfter(ALONE_MS));
      let retaining = true;
      const began = performance.now();
      const border = { readings: START + 30 * DAY, trends: 0 };
      const retained = store.retain(border).finally(() => {
        retaining = false;
      });
      const meanwhile = await paced(one, () => !retaining);
      await retained;
      const seconds = (performance.now() - began) / 1000;
      const words = (ms: number[]) =>
        `p50 ${percentile(ms, 0.5).toFixed(2)} p99 ${percentile(ms, 0.99).toFixed(2)} max ${Math.max(...ms).toFixed(2)} ms (${ms.length} writes)`;
      say(`writes of ${BATCH} readings, 20,000/s: ${words(alone)}`);
      say(`while ${OLD} readings become trends in ${seconds.toFixed(1)} s: ${words(meanwhile)}`);
      return [
        figure('write_p99_ms_while_retaining', [percentile(meanwhile, 0.99)]),
        figure('write_max_ms_while_retaining', [Math.max(...meanwhile)]),
        figure('write_p50_ms_while_retaining', [percentile(meanwhile, 0.5)]),
        figure('write_p50_ms_alone', [percentile(alone, 0.5)]),
        figure('write_p99_ms_alone', [percentile(alone, 0.99)]),
        figure('write_max_ms_alone', [Math.max(...alone)]),
        figure('readings_retained_per_second', [OLD / seconds]),
      ];
    } finally {
      await store.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
};

function stopAfter(ms: number): () => boolean {
  const end = performance.now() + ms;
  return () => performance.now() >= end;
}
