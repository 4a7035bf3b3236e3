import type { JournalBatch } from '@smart-fire/core';
import { openReadings } from '@smart-fire/core/node';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { batchWriter, readingsContract, SERIES } from '../../core/src/testing/readings.contract.ts';
import { type Influxd, startInfluxd } from '../harness/influxd.ts';
import { missing } from '../harness/require.ts';

const T0 = 1.7e12;
const log = pino({ level: 'silent' });

describe.skipIf(missing('influxd'))('with a real influxd', () => {
  let influxd: Influxd;
  let databases = 0;
  const open = (database = `test ${++databases}`) =>
    openReadings(`influx://${influxd.host}/${encodeURIComponent(database)}`, { dataDir: '/', log });

  beforeAll(async () => {
    influxd = await startInfluxd();
  });
  afterAll(async () => {
    await influxd.remove();
  });

  const names = new Map<string, string>();
  readingsContract('influx 1.x', {
    // The folder is fresh for each test and the same when it reopens: so is the database.
    open: ({ dataDir }) => {
      if (!names.has(dataDir)) names.set(dataDir, `contract ${++databases}`);
      return open(names.get(dataDir)!);
    },
    runs: 20,
    keepsTrends: false,
  });

  test('a line the server minds is rejected alone, and everything else is stored', async () => {
    // Somebody else has written text where our numbers go.
    const store = open('mixed');
    await store.open(SERIES);
    const batch = batchWriter();
    await store.write([batch([[0, T0 - 1e9, 1]])]);
    await influxd.request('/write?db=mixed&precision=ms', { method: 'POST', body: `co,device=x value="text" ${T0}` });
    const { rejected } = await store.write([
      batch([
        [0, T0, 1],
        [2, T0, 2],
        [1, T0, 3],
        [2, T0 + 1, 4],
      ]),
    ]);
    expect(rejected).toMatchObject([
      {
        series: { device: 'b', metric: 'co' },
        time: T0,
        value: 2,
        reason: 'REFUSED_BY_STORE',
        detail: expect.stringContaining('type'),
      },
      { series: { device: 'b', metric: 'co' }, time: T0 + 1, value: 4, reason: 'REFUSED_BY_STORE' },
    ]);
    const range = { from: T0, to: T0 + 10 };
    expect(await store.points({ ...SERIES[0]!, ...range }, 10)).toEqual([[T0, 1]]);
    expect(await store.points({ ...SERIES[1]!, ...range }, 10)).toEqual([[T0, 3]]);
    await store.close();
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'while the server is away (%s) it says so at once; afterwards all is there, once',
    async (signal) => {
      const store = open();
      await store.open(SERIES);
      const batch = batchWriter();
      const batches: JournalBatch[] = [];
      for (let at = 0; at < 5; at++)
        batches.push(batch(Array.from({ length: 3000 }, (_, row) => [0, T0 + at * 3000 + row, row / 10])));
      let from = 1;
      const write = async (some: JournalBatch[]) => {
        from = (await store.write(some)).durableBelow;
      };
      await write(batches.slice(0, 2));
      const failing = write(batches.slice(2)).catch((error) => error);
      await influxd.stop(signal);
      await failing;
      const started = performance.now();
      await expect(store.write(batches)).rejects.toMatchObject({ code: 'FIRE_READINGS_UNAVAILABLE' });
      await expect(store.points({ ...SERIES[0]!, from: 0, to: 1 }, 1)).rejects.toMatchObject({
        code: 'FIRE_READINGS_UNAVAILABLE',
      });
      expect(await store.healthy()).toBe(false);
      expect(performance.now() - started).toBeLessThan(10_000);

      await influxd.start();
      expect(await store.healthy()).toBe(true);
      expect((await store.write(batches.filter((it) => it.firstNo >= from))).rejected).toEqual([]);
      const points = await store.points({ ...SERIES[0]!, from: T0, to: T0 + 15_000 }, 20_000);
      expect(points).toEqual(Array.from({ length: 15_000 }, (_, at) => [T0 + at, (at % 3000) / 10]));
      await store.close();
    },
  );

  test('a database that somebody drops is made again', async () => {
    const store = open('dropped');
    await store.open(SERIES);
    const batch = batchWriter()([[0, T0, 1]]);
    await store.write([batch]);
    const drop = new URLSearchParams({ q: 'DROP DATABASE dropped' });
    await (await influxd.request('/query', { method: 'POST', body: drop })).text();
    await expect
      .poll(() =>
        store.write([batch]).then(
          () => 'stored',
          () => 'away',
        ),
      )
      .toBe('stored');
    expect(await store.points({ ...SERIES[0]!, from: T0, to: T0 + 1 }, 1)).toEqual([[T0, 1]]);
    await store.close();
  });
});
