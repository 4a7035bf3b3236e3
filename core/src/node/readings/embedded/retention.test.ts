import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BatchBuilder } from '../../../journal-batch.ts';
import type { ReadingsStore } from '../../../ports/readings.ts';
import { killWhen } from '../../../testing/kill-when.ts';
import { batchWriter, SERIES } from '../../../testing/readings.contract.ts';
import { RETAINED_SERIES, retainedBatch, retainedBefore } from '../../../testing/retention-writer.ts';
import { createEmbeddedReadings } from './embedded.ts';
import { hoursOf, mergeHours } from './hours.ts';
import { ReadingsFile } from './readings-file.ts';
import { RETENTION_STEP, retentionStep } from './retention.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T0 = Math.floor(1.7e12 / HOUR) * HOUR;
const EVER = { from: 0, to: 4e12 };
const ALL = { readings: Number.MAX_SAFE_INTEGER, trends: 0 };

let dataDir: string;
let file: string;
const opened: { close(): unknown }[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'smartfire-retention-'));
  file = join(dataDir, 'readings.db');
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((it) => it.close()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function open(series = SERIES): Promise<ReadingsStore> {
  const store = createEmbeddedReadings({ file, log: pino({ level: 'silent' }) });
  opened.push(store);
  await store.open(series);
  return store;
}

function openFile(): ReadingsFile {
  const opening = new ReadingsFile(file);
  opened.push(opening);
  return opening;
}

/** `count` readings of the first series, one every `step` ms, and time that passes after. */
async function fill(store: ReadingsStore, count: number, step: number): Promise<void> {
  const builder = new BatchBuilder();
  for (let at = 0; at < count; at++) builder.addReading(0, T0 + at * step, T0 + at * step, (at % 50) / 10, 0);
  builder.addEntry({ type: 'tick', receivedAt: T0 + count * step + 40 * DAY });
  await store.write([builder.build()]);
}

/** Hours of all readings of the stream's first batches. */
function hoursOfStream(batches: number, index: number) {
  const rows: [time: number, value: number][] = [];
  for (let at = 0; at < batches; at++) {
    const { length, series, time, value } = retainedBatch(at).readings;
    for (let row = 0; row < length; row++) if (series[row] === index) rows.push([time[row]!, value[row]!]);
  }
  rows.sort((a, b) => a[0] - b[0]);
  const column = (which: 0 | 1) => Float64Array.from(rows, (row) => row[which]);
  return hoursOf({ length: rows.length, times: column(0), values: column(1) });
}

test.each([100, 110, 120])(
  'killed at any moment of retention (%i), a replay has every reading once: raw, or in its hour',
  async (lines) => {
    const script = new URL('../../../testing/retention-writer.ts', import.meta.url).pathname;
    const said = await killWhen(script, dataDir, (_, count) => count === lines);
    const [durable, last] = said.split(' ').map(Number) as [number, number];
    const store = await open(RETAINED_SERIES);
    // The journal has pruned what was durable; two batches may not have been said.
    for (let at = Math.floor((durable - 1) / 1440); at <= last + 2; at++) await store.write([retainedBatch(at)]);
    await store.retain(retainedBefore(last + 2));
    await store.close();
    const stored = openFile();
    for (const series of RETAINED_SERIES) {
      const id = stored.seriesId(series)!;
      const trends = stored.trends.hours(id, 0, 4e12);
      expect(trends.length).toBeGreaterThan(100);
      const raw = stored.chunks(id, 0, 4e12).map((chunk) => hoursOf(stored.load(chunk.id)));
      expect(mergeHours([trends, ...raw])).toEqual(
        hoursOfStream(last + 3, series.index).map((hour) => ({ ...hour, sum: expect.closeTo(hour.sum, 6) })),
      );
    }
  },
  60_000,
);

test('what a late or replayed reading may still belong to stays raw, whatever is asked', async () => {
  const store = await open();
  const batch = batchWriter();
  await store.write([
    batch([
      [0, T0, 1],
      [0, T0 + 5, 2],
    ]),
    batch([[2, T0 + 29 * DAY, 3]]),
  ]);
  await store.retain(ALL);
  expect(await store.points({ ...SERIES[0]!, ...EVER }, 9)).toHaveLength(2);
  const { rejected } = await store.write([batch([[0, T0, 7]])]);
  expect(rejected).toMatchObject([{ time: T0, value: 7, reason: 'SAME_TIME' }]);
  await store.write([batch([[2, T0 + 31 * DAY, 3]])]);
  await store.retain(ALL);
  expect(await store.points({ ...SERIES[0]!, ...EVER }, 9)).toHaveLength(0);
  expect(await store.buckets({ ...SERIES[0]!, from: T0, to: T0 + HOUR }, 1)).toEqual([[T0, 1, 1.5, 2]]);
});

test('a step takes out a bounded number of rows, of readings as of trends, and all steps together everything', async () => {
  const store = await open();
  await fill(store, 300_000, HOUR);
  await store.close();
  const stored = openFile();
  const id = stored.seriesId(SERIES[0]!)!;
  const chunks = stored.chunks(id, 0, 4e12).length;
  expect(chunks).toBeGreaterThan(5 * RETENTION_STEP.rows);
  const steps: number[] = [];
  let next: number | null = 0;
  while (next !== null) {
    const step = retentionStep(stored, { readings: 4e12, trends: 0 }, next, () => false);
    steps.push(step.dropped.length);
    next = step.next;
  }
  expect(Math.max(...steps)).toBe(RETENTION_STEP.rows);
  expect(steps.reduce((sum, dropped) => sum + dropped, 0)).toBe(chunks);
  expect(stored.trends.hours(id, 0, 4e12)).toHaveLength(300_000);
  expect(retentionStep(stored, { readings: 0, trends: 4e12 }, 0, () => false).next).toBe(0);
  expect(stored.trends.hours(id, 0, 4e12).length).toBeGreaterThan(250_000);
});

test('a step that fails half-way has changed nothing', async () => {
  const store = await open();
  await fill(store, 10_000, 60_000);
  await store.close();
  const stored = openFile();
  const id = stored.seriesId(SERIES[0]!)!;
  const chunks = stored.chunks(id, 0, 4e12);
  // Its hours are there and one chunk is gone by then.
  const drop = stored.drop.bind(stored);
  const dropping = vi.spyOn(stored, 'drop').mockImplementationOnce(drop);
  dropping.mockImplementationOnce(() => {
    throw new Error('killed');
  });
  expect(() => retentionStep(stored, { readings: 4e12, trends: 0 }, 0, () => false)).toThrow('killed');
  dropping.mockRestore();
  expect(stored.trends.hours(id, 0, 4e12)).toEqual([]);
  expect(stored.chunks(id, 0, 4e12)).toEqual(chunks);
});

test('whoever writes has a turn between two steps', async () => {
  const store = await open();
  await fill(store, 1_000_000, 1000);
  const steps = Math.floor(1_000_000 / 512 / RETENTION_STEP.rows);
  let retaining = true;
  const retained = store.retain(ALL).finally(() => (retaining = false));
  let writes = 0;
  const batch = batchWriter(2_000_000);
  for (; retaining; writes++) await store.write([batch([[2, T0 + 90 * DAY + writes, 1]])]);
  await retained;
  expect(writes).toBeGreaterThanOrEqual(steps);
}, 30_000);

test('a chunk that is not saved yet is left for the next time', async () => {
  const store = await open();
  await fill(store, 2000, 1000);
  await store.close();
  const stored = openFile();
  const id = stored.seriesId(SERIES[0]!)!;
  const [first] = stored.chunks(id, 0, 4e12);
  const { dropped } = retentionStep(stored, { readings: 4e12, trends: 0 }, 0, (_, chunk) => chunk === first!.id);
  expect(dropped).not.toContainEqual({ series: id, chunk: first!.id });
  expect(stored.chunks(id, 0, 4e12)).toEqual([first]);
});

test('a file of the first version goes on: its chunks are read, its hours are trends', async () => {
  const db = new DatabaseSync(file);
  db.exec(`CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
    INSERT INTO meta VALUES('durable_below', 5), ('durable_at', ${T0});
    CREATE TABLE series(id INTEGER PRIMARY KEY, journal_index INTEGER, device TEXT NOT NULL, point TEXT NOT NULL, metric TEXT NOT NULL,
      UNIQUE(device, point, metric));
    CREATE TABLE chunk(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start REAL NOT NULL, "end" REAL NOT NULL, count INTEGER NOT NULL,
      min REAL NOT NULL, max REAL NOT NULL, sum REAL, data BLOB NOT NULL);
    CREATE INDEX chunk_by_series ON chunk(series, start, "end", count, min, max, sum);
    CREATE TABLE hour(series INTEGER, start INTEGER, count INTEGER NOT NULL, min REAL NOT NULL, max REAL NOT NULL, sum REAL,
      PRIMARY KEY(series, start)) WITHOUT ROWID;
    INSERT INTO series VALUES(7, 0, 'a', '', 'temperature');
    INSERT INTO hour VALUES(7, ${T0 - 2 * DAY}, 3, -1, 5, 6), (7, ${T0 - DAY}, 2, 4.5, 5.5, 10);
    INSERT INTO chunk VALUES(1, 7, 1.7e12, 1700000600000, 4, -3.25, 20.2, 57.05, x'01080080a0abfef962d00f13b8f04802b41f14d124aa24');
    PRAGMA application_id = ${0x53465231}; PRAGMA user_version = 1`);
  db.close();
  for (let opening = 0; opening < 2; opening++) {
    const store = await open();
    const range = { ...SERIES[0]!, from: T0 - 2 * DAY, to: T0 + DAY };
    expect(await store.points(range, 9)).toEqual([
      [1.7e12, 20.1],
      [1.7e12 + 1000, 20.2],
      [1.7e12 + 1990, -3.25],
      [1.7e12 + 600_000, 20],
    ]);
    expect((await store.buckets(range, 3)).slice(0, 2)).toEqual([
      [T0 - 2 * DAY, -1, 2, 5],
      [T0 - DAY, 4.5, 5, 5.5],
    ]);
    await store.close();
  }
});
