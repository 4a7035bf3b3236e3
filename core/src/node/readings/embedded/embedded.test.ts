import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchBuilder } from '../../../journal-batch.ts';
import type { JournalBatch, SeriesRow } from '../../../ports/journal.ts';
import type { ReadingsStore } from '../../../ports/readings.ts';
import { killWhen } from '../../../testing/kill-when.ts';
import { batchWriter, readingsContract, SERIES } from '../../../testing/readings.contract.ts';
import { WRITER_SERIES, writerBatch } from '../../../testing/readings-writer.ts';
import { openReadings } from '../open.ts';
import { createEmbeddedReadings } from './embedded.ts';

const T0 = 1.7e12;
const log = pino({ level: 'silent' });

readingsContract('embedded', {
  open: ({ dataDir }) => openReadings('sqlite:readings.db', { dataDir, log }),
  runs: 20,
  keepsTrends: true,
});

describe('the embedded readings file', () => {
  let dataDir: string;
  let file: string;
  const opened: ReadingsStore[] = [];
  const open = async (series: SeriesRow[] = SERIES, options: { maxPages?: number } = {}) => {
    const store = createEmbeddedReadings({ file, log, ...options });
    opened.push(store);
    await store.open(series);
    return store;
  };
  const steady = (firstNo: number, count: number, seriesCount: number): JournalBatch => {
    const builder = new BatchBuilder(firstNo);
    for (let row = 0; row < count; row++) {
      const at = firstNo + row;
      builder.addReading(at % seriesCount, T0 + at * 10, T0 + at * 10, (at % 300) / 10, 0);
    }
    return builder.build();
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'smartfire-readings-'));
    file = join(dataDir, 'readings.db');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close().catch(() => {})));
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('killed at any moment, a replay from where it was durable gives every reading once', async () => {
    const script = new URL('../../../testing/readings-writer.ts', import.meta.url).pathname;
    const [durable, last] = (await killWhen(script, dataDir, (_, count) => count === 50)).split(' ').map(Number) as [
      number,
      number,
    ];
    expect(durable).toBeLessThan(last * 5000);
    const store = await open(WRITER_SERIES);
    const expected = WRITER_SERIES.map(() => new Map<number, number>());
    for (let at = 0; at <= last; at++) {
      const batch = writerBatch(at);
      const { readings } = batch;
      for (let row = 0; row < readings.length; row++) {
        const series = expected[readings.series[row]!]!;
        if (!series.has(readings.time[row]!)) series.set(readings.time[row]!, readings.value[row]!);
      }
      // The journal has pruned what was durable.
      if (batch.firstNo + batch.count > durable) await store.write([batch]);
    }
    for (const [index, series] of expected.entries()) {
      const points = await store.points({ ...WRITER_SERIES[index]!, from: 0, to: 4e12 }, 1e6);
      expect(points).toEqual([...series].toSorted((a, b) => a[0] - b[0]));
    }
  }, 60_000);

  test('a thread that died is started again, and no gap is taken: writing goes on where it was durable', async () => {
    let thread: Worker | undefined;
    process.once('worker', (worker) => (thread = worker));
    const store = await open();
    const batch = batchWriter();
    const batches = [0, 1, 2].map((at) => batch([[0, T0 + at, at]]));
    const { durableBelow } = await store.write(batches.slice(0, 2));
    expect(durableBelow).toBe(1);
    await thread!.terminate();
    await expect(store.write(batches.slice(2))).rejects.toMatchObject({ code: 'FIRE_READINGS_UNAVAILABLE' });
    expect(await store.healthy()).toBe(true);
    await store.write(batches);
    expect(await store.points({ ...SERIES[0]!, from: 0, to: 4e12 }, 9)).toHaveLength(3);
  });

  test('what is not durable stays bounded by number and by time', async () => {
    const series = Array.from(
      { length: 3000 },
      (_, index): SeriesRow => ({ index, device: `d${index}`, point: '', metric: 'co' }),
    );
    const store = await open(series);
    let next = 1;
    let durable = 0;
    for (; next < 1_500_000; next += 20_000)
      ({ durableBelow: durable } = await store.write([steady(next, 20_000, 3000)]));
    expect(next - durable).toBeLessThan(1_300_000);
    // Ten quiet minutes, in which only ticks are written.
    for (let second = 0; second < 700; second += 20) {
      const builder = new BatchBuilder(next++);
      builder.addEntry({ type: 'tick', receivedAt: T0 + next * 10 + second * 1000 });
      ({ durableBelow: durable } = await store.write([builder.build()]));
    }
    expect(durable).toBe(next);
  }, 60_000);

  test('a full disk refuses writing, keeps answering, and takes all when there is room', async () => {
    const series = Array.from(
      { length: 200 },
      (_, index): SeriesRow => ({ index, device: `d${index}`, point: '', metric: 'co' }),
    );
    const small = await open(series, { maxPages: 60 });
    let failure: unknown;
    let written = 0;
    let durable = 1;
    for (; !failure && written < 100; written++) {
      await small.write([steady(1 + written * 10_000, 10_000, 200)]).then(
        (answer) => (durable = answer.durableBelow),
        (error) => (failure = error),
      );
    }
    expect(failure).toMatchObject({ code: 'FIRE_READINGS_UNAVAILABLE' });
    const range = { ...series[1]!, from: 0, to: 4e12 };
    expect((await small.points(range, 1e6)).length).toBeGreaterThan(0);
    await small.close().catch(() => {});
    const store = await open(series);
    for (let at = 0; at < written; at++) {
      if (1 + (at + 1) * 10_000 > durable) await store.write([steady(1 + at * 10_000, 10_000, 200)]);
    }
    const points = await store.points(range, 1e6);
    expect(points).toHaveLength((written * 10_000) / 200);
    expect(new Set(points.map(([time]) => time)).size).toBe(points.length);
  }, 60_000);

  test('a new journal gives its numbers again: nothing of it is taken for known', async () => {
    const first = await open();
    await first.write([
      batchWriter()([
        [0, T0, 1],
        [2, T0, 5],
      ]),
    ]);
    await first.close();
    const store = await open([]);
    await store.write([batchWriter()([[0, T0 + 1, 7]], [{ index: 0, device: 'b', point: '楼层', metric: 'co' }])]);
    expect(await store.points({ ...SERIES[2]!, from: 0, to: 4e12 }, 9)).toEqual([
      [T0, 5],
      [T0 + 1, 7],
    ]);
    expect(await store.points({ ...SERIES[0]!, from: 0, to: 4e12 }, 9)).toEqual([[T0, 1]]);
  });

  test('so does a journal put back from an old copy', async () => {
    const first = await open();
    const batch = batchWriter();
    await first.write([batch([[0, T0, 1]]), batch([[0, T0 + 1000, 2]])]);
    await first.close();
    const store = await open();
    await store.write([batchWriter(3)([[0, T0 + 5000, 3]])]);
    expect(await store.points({ ...SERIES[0]!, from: 0, to: 4e12 }, 9)).toEqual([
      [T0, 1],
      [T0 + 1000, 2],
      [T0 + 5000, 3],
    ]);
  });

  test.each([
    [
      'a file of another version',
      'FIRE_FORMAT_UNKNOWN',
      () => {
        const db = new DatabaseSync(file);
        db.exec('PRAGMA user_version = 7');
        db.close();
      },
    ],
    ['garbage', 'FIRE_READINGS_UNAVAILABLE', () => writeFileSync(file, 'no database at all '.repeat(999))],
    ['an empty file', 'FIRE_READINGS_UNAVAILABLE', () => truncateSync(file, 0)],
  ])('%s is told and left as it is', async (_, code, damage) => {
    await (await open()).close();
    damage();
    const { size } = statSync(file);
    await expect(open()).rejects.toMatchObject({ code });
    expect(statSync(file).size).toBe(size);
  });
});
