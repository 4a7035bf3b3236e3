import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchBuilder } from '../journal-batch.ts';
import type { JournalBatch, SeriesRow } from '../ports/journal.ts';
import type { ReadingsStore } from '../ports/readings.ts';

export const SERIES: SeriesRow[] = [
  { index: 0, device: 'a', point: '', metric: 'temperature' },
  { index: 1, device: 'a', point: 'loop 1, "east"=\\', metric: 'temperature' },
  { index: 2, device: 'b', point: '楼层', metric: 'co' },
];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T0 = Math.floor(1.7e12 / HOUR) * HOUR;
const EVER = { from: 0, to: 4e12 };

type Row = [series: number, time: number, value: number];

/** Numbers batches as a journal would. */
export function batchWriter(firstNo = 1) {
  let next = firstNo;
  return (rows: Row[], newSeries: SeriesRow[] = []): JournalBatch => {
    const builder = new BatchBuilder(next);
    for (const row of newSeries) builder.addSeries(row);
    for (const [series, time, value] of rows) builder.addReading(series, time, time + 50, value, 0);
    builder.addEntry({ type: 'tick', receivedAt: rows.at(-1)?.[1] ?? T0 });
    const batch = builder.build();
    next += batch.count;
    return batch;
  };
}

export interface ReadingsContractOptions {
  /** A store whose data lies in `dataDir`, or is found again by its name. */
  open(options: { dataDir: string }): ReadingsStore | Promise<ReadingsStore>;
  /** Property test runs, each of some hundred writes. */
  runs: number;
  /** Whether dropped readings leave hourly summaries. */
  keepsTrends: boolean;
}

/** What every readings store does. */
export function readingsContract(name: string, { open: openStore, runs, keepsTrends }: ReadingsContractOptions): void {
  describe(`readings: ${name}`, () => {
    let dataDir: string;
    const opened: ReadingsStore[] = [];
    const open = async (series = SERIES) => {
      const store = await openStore({ dataDir });
      opened.push(store);
      await store.open(series);
      return store;
    };
    const all = async (store: ReadingsStore, index: number) =>
      await store.points({ ...SERIES[index]!, ...EVER }, 100_000);

    beforeEach(() => {
      dataDir = mkdtempSync(join(tmpdir(), 'smartfire-readings-'));
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((store) => store.close()));
      rmSync(dataDir, { recursive: true, force: true });
    });

    test('values come back bit-exact, in order of time, whatever names the series has', async () => {
      const store = await open();
      const batch = batchWriter();
      const values = [
        -0,
        0,
        5e-324,
        -2.2250738585072014e-308,
        Number.MAX_VALUE,
        0.1 + 0.2,
        1 / 3,
        1e21,
        123456789.123456,
        -40,
      ];
      const rows = values.map((value, at): [number, number] => [T0 + at, value]);
      await store.write([batch(SERIES.flatMap(({ index }) => rows.map(([time, value]): Row => [index, time, value])))]);
      for (const { index } of SERIES) expect(await all(store, index)).toEqual(rows);
      expect(await store.points({ ...SERIES[0]!, from: T0 + 2, to: T0 + 5 }, 100)).toEqual(rows.slice(2, 5));
      expect(await store.points({ ...SERIES[0]!, ...EVER }, 3)).toEqual(rows.slice(0, 3));
      expect(await store.points({ device: 'nobody', point: '', metric: 'co', ...EVER }, 3)).toEqual([]);
    });

    test('a reading is stored once however often it is written; another value at its time is rejected', async () => {
      const store = await open();
      const batch = batchWriter();
      const first = batch([
        [0, T0, 1],
        [0, T0 + 10, 2],
        [2, T0, 1],
      ]);
      await store.write([first]);
      await store.write([first]);
      const { rejected } = await store.write([
        batch([
          [0, T0 + 10, 2],
          [0, T0 + 10, 3],
          [0, T0, 9],
          [0, T0 + 5, 7],
          [0, T0 + 5, 8],
        ]),
      ]);
      const conflict = {
        series: { device: 'a', point: '', metric: 'temperature' },
        reason: 'SAME_TIME',
        detail: expect.any(String),
      };
      expect(rejected.toSorted((a, b) => a.value - b.value)).toEqual([
        { ...conflict, time: T0 + 10, value: 3, receivedAt: T0 + 60 },
        { ...conflict, time: T0 + 5, value: 8, receivedAt: T0 + 55 },
        { ...conflict, time: T0, value: 9, receivedAt: T0 + 50 },
      ]);
      expect(await all(store, 0)).toEqual([
        [T0, 1],
        [T0 + 5, 7],
        [T0 + 10, 2],
      ]);
    });

    test('a series is known from the batch that announces it', async () => {
      const store = await open([]);
      await store.write([batchWriter()([[0, T0, 1]], SERIES.slice(0, 1))]);
      expect(await all(store, 0)).toEqual([[T0, 1]]);
    });

    test('any mixture of late, doubled and conflicting readings ends as the first value of each time, with or without reopening', async () => {
      const time = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 5000 }));
      const write = fc.oneof(
        fc.record({ series: fc.nat(1), times: fc.array(time, { minLength: 1, maxLength: 30 }) }),
        fc.record({ series: fc.nat(1), from: time, count: fc.integer({ min: 1, max: 1500 }) }),
      );
      let offset = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(write, { maxLength: 12 }), fc.boolean(), async (writes, reopen) => {
          offset += 100_000;
          const base = T0 + offset;
          const batch = batchWriter(offset);
          let store = await open();
          const model = [new Map<number, number>(), new Map<number, number>()];
          const written: JournalBatch[] = [];
          let value = 0;
          let conflicts = 0;
          let expected = 0;
          let durable = 0;
          for (const it of writes) {
            const times = 'times' in it ? it.times : Array.from({ length: it.count }, (_, at) => it.from + at);
            const rows = times.map((at): Row => [it.series, base + at, (value++ % 3) / 10]);
            for (const [series, at, reading] of rows) {
              const known = model[series]!.get(at);
              if (known === undefined) model[series]!.set(at, reading);
              else if (known !== reading) expected++;
            }
            written.push(batch(rows));
            const answer = await store.write([written.at(-1)!]);
            conflicts += answer.rejected.length;
            expect(answer.durableBelow).toBeGreaterThanOrEqual(durable);
            durable = answer.durableBelow;
          }
          expect(conflicts).toBe(expected);
          if (reopen) {
            await store.close();
            store = await open();
            for (const it of written) await store.write([it]);
          }
          for (const series of [0, 1]) {
            const range = { ...SERIES[series]!, from: base, to: base + 100_000 };
            const points = [...model[series]!].toSorted((a, b) => a[0] - b[0]);
            expect(await store.points(range, 100_000)).toEqual(points);
            const inner = { ...range, from: base + 17, to: base + 3017 };
            const buckets = new Map<number, number[]>();
            for (const [at, reading] of points) {
              if (at < inner.from || at >= inner.to) continue;
              const start = inner.from + Math.floor((at - inner.from) / 1000) * 1000;
              buckets.set(start, [...(buckets.get(start) ?? []), reading]);
            }
            expect(await store.buckets(inner, 3)).toEqual(
              [...buckets].map(([start, values]) => [
                start,
                Math.min(...values),
                expect.closeTo(values.reduce((sum, it) => sum + it, 0) / values.length, 9),
                Math.max(...values),
              ]),
            );
          }
          await store.close();
        }),
        { numRuns: runs },
      );
    }, 60_000);

    test('a long history is cut into buckets; empty ones are left out', async () => {
      const store = await open();
      const batch = batchWriter();
      const value = (at: number) => Math.round(200 + 50 * Math.sin(at / 900)) / 10;
      for (let block = 0; block < 4; block++)
        await store.write([
          batch(
            Array.from(
              { length: 5000 },
              (_, at): Row => [0, T0 + (block * 5000 + at) * 1000, value(block * 5000 + at)],
            ),
          ),
        ]);
      const buckets = await store.buckets({ ...SERIES[0]!, from: T0 - 20_000_000, to: T0 + 20_000_000 }, 40);
      expect(buckets).toHaveLength(20);
      for (const [start, min, mean, max] of buckets) {
        const first = (start - T0) / 1000;
        const values = Array.from({ length: 1000 }, (_, at) => value(first + at));
        expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
        expect(mean).toBeCloseTo(values.reduce((sum, it) => sum + it, 0) / 1000, 9);
      }
    });

    test('retention drops what is old and nothing else, and writing goes on meanwhile', async () => {
      const store = await open();
      const batch = batchWriter();
      const rows = Array.from({ length: 3000 }, (_, at): Row => [0, T0 + at * 10_000, at % 7]);
      await store.write([batch(rows)]);
      // Time passes: nothing that comes late can belong there any more.
      await store.write([batch([[0, T0 + 40 * DAY, 0]])]);
      const cut = T0 + 5 * HOUR;
      const retained = store.retain({ readings: cut, trends: 0 });
      await store.write([batch([[0, T0 + 4000 * 10_000, 1]])]);
      await retained;
      await store.write([batch([[0, T0 + 4001 * 10_000, 2]])]);
      await store.close();
      const again = await open();
      const points = await all(again, 0);
      const kept = rows.filter(([, time]) => time >= cut);
      expect(points.filter(([time]) => time >= cut)).toEqual(
        [...kept, [0, T0 + 4000 * 10_000, 1], [0, T0 + 4001 * 10_000, 2], [0, T0 + 40 * DAY, 0]].map(
          ([, ...point]) => point,
        ),
      );
      // Whole chunks or shards go, so a little may stay longer.
      if (!keepsTrends) return;
      expect(points.length).toBeLessThan(1700);
      const hours = await again.buckets({ ...SERIES[0]!, from: T0, to: T0 + 2 * HOUR }, 2);
      expect(hours.map(([start, min, mean, max]) => [start, min, Math.round(mean), max])).toEqual([
        [T0, 0, 3, 6],
        [T0 + HOUR, 0, 3, 6],
      ]);
    });

    test.runIf(keepsTrends)(
      'a history goes on in hourly trends where its readings have been dropped, for as long as these are kept',
      async () => {
        const store = await open();
        const batch = batchWriter();
        // One reading every 7 minutes, so that hours begin and end within chunks; then time passes.
        const rows = Array.from(
          { length: 5000 },
          (_, at): Row => [0, T0 + at * 420_000, Math.round(100 * Math.sin(at)) / 10],
        );
        await store.write([batch(rows), batch([[0, T0 + 90 * DAY, 0]])]);
        const range = { ...SERIES[0]!, from: T0 - 10 * HOUR, to: T0 + 600 * HOUR };
        const history = async () =>
          (await store.buckets(range, 61)).map(([start, min, mean, max]) => [start, min, mean.toFixed(9), max]);
        const before = await history();
        expect(before).toHaveLength(59);
        for (const hours of [100, 100, 250, 599]) {
          await store.retain({ readings: T0 + hours * HOUR, trends: 0 });
          expect(await history()).toEqual(before);
        }
        const [first] = await store.points(range, 1);
        expect(first![0]).toBeGreaterThan(T0 + 450 * HOUR);
        await store.retain({ readings: 0, trends: T0 + 599 * HOUR });
        const left = await history();
        expect(left.length).toBeLessThan(30);
        expect(before.slice(-left.length + 1)).toEqual(left.slice(1));
      },
    );

    test('it says whether it is well, and refuses when it is closed', async () => {
      const store = await open();
      expect(await store.healthy()).toBe(true);
      await store.close();
      expect(await store.healthy()).toBe(false);
      await expect(store.write([batchWriter()([[0, T0, 1]])])).rejects.toMatchObject({
        code: 'FIRE_READINGS_UNAVAILABLE',
      });
    });
  });
}
