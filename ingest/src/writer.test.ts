import { BatchBuilder, FireError } from '@smart-fire/core';
import { FakeClock, MemoryJournal, MemoryReadings } from '@smart-fire/core/testing';
import { describe, expect, it, vi } from 'vitest';
import { startIngest, until } from './testing/harness.ts';
import { ReadingsWriter } from './writer.ts';

/** A journal with `batches` of `size` readings at distinct times; `push` hands them to a writer as ingest does. */
async function filledJournal(batches: number, size: number, clock: FakeClock) {
  const journal = new MemoryJournal();
  const builder = new BatchBuilder();
  for (let b = 0; b < batches; b++) {
    if (b === 0) builder.addSeries({ index: 0, device: 'd', point: '', metric: 'co' });
    for (let i = 0; i < size; i++) builder.addReading(0, b * size + i, clock.now(), i, 0);
    await journal.commit(builder.build(), { deadLetters: [], marks: [] });
    builder.clear();
  }
  return journal;
}

function writerOf(journal: MemoryJournal, readings: MemoryReadings, clock: FakeClock, from = 1, nextNo = 1) {
  const changed = vi.fn();
  const writer = new ReadingsWriter({ journal, readings, clock, from, nextNo, series: [], changed });
  return { writer, changed };
}

/** Lets time pass until it holds. */
async function passing(clock: FakeClock, condition: () => boolean): Promise<void> {
  while (!condition()) await clock.advanceInSteps(50);
}

it('writes what is committed from memory, without reading the journal, and moves its cursor', async () => {
  const { telemetry, readings, journal, stop, clock } = await startIngest();
  const read = vi.spyOn(journal, 'read');
  for (let i = 0; i < 20; i++) await telemetry({ ts: clock.now() + i, values: { co: i } });
  await passing(clock, () => readings.count() === 20);
  await stop();
  expect(read).not.toHaveBeenCalled();
  expect(journal.cursors.readings).toBe((await journal.open()).nextNo);
});

it('writes together what comes within a moment, and at a stop what has gathered', async () => {
  const { telemetry, readings, stop, clock } = await startIngest();
  const write = vi.spyOn(readings, 'write');
  await telemetry({ ts: clock.now(), values: { co: 1 } });
  await passing(clock, () => readings.count() === 1);
  for (let i = 1; i < 20; i++) await telemetry({ ts: clock.now() + i, values: { co: i } });
  expect(write.mock.calls.length).toBeLessThan(5);
  await stop();
  expect(readings.count()).toBe(20);
});

it('goes on after a restart where its cursor stands, from the journal', async () => {
  const clock = new FakeClock();
  const journal = await filledJournal(10, 100, clock);
  journal.advance('readings', 501);
  const readings = new MemoryReadings();
  await readings.open(journal.series);
  const { writer } = writerOf(journal, readings, clock, 501, 1001);
  writer.start();
  await until(() => writer.lagEntries === 0);
  await writer.stop();
  expect(readings.count()).toBe(500);
  expect(journal.cursors.readings).toBe(1001);
});

it('holds on for hours while the store is away, in bounded memory, and catches up by itself', {
  timeout: 30_000,
}, async () => {
  const clock = new FakeClock();
  const batches = 600;
  const size = 1000;
  const journal = await filledJournal(batches, size, clock);
  const readings = new MemoryReadings();
  readings.away = true;
  const { writer, changed } = writerOf(journal, readings, clock);
  writer.start();
  let most = 0;
  for (const batch of journal.batches) {
    writer.push(batch);
    most = Math.max(most, writer.queued);
    await clock.advanceInSteps(20_000, 10_000);
  }
  expect(most).toBeLessThanOrEqual(200_000);
  expect(readings.count()).toBe(0);
  expect(writer.lagEntries).toBe(batches * size);
  expect(writer.lagSeconds).toBeGreaterThan(3 * 3600);
  expect(writer.failure?.error).toMatchObject({ code: 'FIRE_READINGS_UNAVAILABLE' });
  expect(changed).toHaveBeenCalledTimes(1);
  readings.away = false;
  await clock.advanceInSteps(30_000, 1000);
  await until(() => writer.lagEntries === 0);
  expect(readings.count()).toBe(batches * size);
  expect(readings.largestWrite).toBeLessThanOrEqual(50_000);
  expect(writer.failure).toBe(null);
  expect(changed).toHaveBeenCalledTimes(2);
  await writer.stop();
  expect(clock.timers).toBe(0);
});

it('tries again at growing distances, not more often for every new batch', async () => {
  const clock = new FakeClock();
  const journal = await filledJournal(50, 1, clock);
  const readings = new MemoryReadings();
  readings.away = true;
  const write = vi.spyOn(readings, 'write');
  const { writer } = writerOf(journal, readings, clock);
  writer.start();
  for (const batch of journal.batches) writer.push(batch);
  await clock.advanceInSteps(60_000, 250);
  expect(write.mock.calls.length).toBeLessThanOrEqual(9);
  await writer.stop();
});

it('lets the cursor stay behind what the store has not made durable', async () => {
  const clock = new FakeClock();
  const journal = await filledJournal(3, 10, clock);
  const readings = new MemoryReadings();
  vi.spyOn(readings, 'write').mockResolvedValue({ durableBelow: 11, rejected: [] });
  const { writer } = writerOf(journal, readings, clock, 1, 31);
  writer.start();
  await until(() => writer.lagEntries === 0);
  await writer.stop();
  expect(journal.cursors.readings).toBe(11);
});

it('makes a dead letter of what the store refuses', async () => {
  const clock = new FakeClock();
  const journal = await filledJournal(1, 2, clock);
  const readings = new MemoryReadings();
  const series = { device: 'd', point: '1-2', metric: 'co' } as const;
  const rejected = [
    { series, time: 5, value: 7, receivedAt: 6, reason: 'REFUSED_BY_STORE', detail: 'field type' } as const,
  ];
  vi.spyOn(readings, 'write').mockResolvedValue({ durableBelow: 3, rejected: [...rejected] });
  const { writer } = writerOf(journal, readings, clock, 1, 3);
  writer.start();
  await until(() => writer.lagEntries === 0);
  await writer.stop();
  expect(journal.letters).toMatchObject([
    {
      device: 'd',
      topic: 'smartfire/v1/d/telemetry',
      receivedAt: 6,
      code: 'REFUSED_BY_STORE',
      problems: [{ path: 'values.co', detail: 'field type' }],
      payload: '{"ts":5,"point":"1-2","values":{"co":7}}',
    },
  ]);
});

describe('a store that is away', () => {
  it('keeps neither the start nor a PUBACK waiting, and people are told since when and how much', async () => {
    const readings = new MemoryReadings();
    vi.spyOn(readings, 'open').mockImplementation(async () => {
      if (readings.away) throw new FireError('FIRE_READINGS_UNAVAILABLE');
    });
    readings.away = true;
    const { telemetry, clock, health, intake, stop, metric } = await startIngest({ readings });
    const since = clock.now();
    expect(await telemetry({ ts: since, values: { co: 1 } })).toBe(null);
    await until(() => health()[1]!.level === 'degraded');
    await clock.advanceInSteps(120_000, 1000);
    expect(await telemetry({ ts: since + 1, values: { co: 2 } })).toBe(null);
    const [journalHealth, readingsHealth] = health();
    expect(journalHealth!.level).toBe('ok');
    expect(intake.accepting).toBe(true);
    expect(readingsHealth).toMatchObject({ part: 'readings', level: 'degraded', since });
    expect(readingsHealth!.figures.lagEntries).toBeGreaterThan(120);
    expect(readingsHealth!.figures.lagSeconds).toBeGreaterThanOrEqual(119);
    expect(await metric('smartfire_readings_lag_entries')).toBe(readingsHealth!.figures.lagEntries);
    readings.away = false;
    vi.mocked(readings.open).mockRestore();
    await clock.advanceInSteps(40_000, 1000);
    await until(() => health()[1]!.level === 'ok');
    expect(readings.count()).toBe(2);
    await stop();
  });
});

it('drops readings and trends older than the days to keep, a minute after the start and every hour', async () => {
  const { readings, clock, stop } = await startIngest({ keepDays: { readings: 400, trends: 3650 } });
  const started = clock.now();
  await clock.advanceInSteps(3_600_000 * 2 + 60_000, 60_000);
  const before = (after: number, days: number) => started + after - days * 86_400_000;
  expect(readings.retained).toEqual(
    [60_000, 3_660_000, 7_260_000].map((after) => ({ readings: before(after, 400), trends: before(after, 3650) })),
  );
  readings.away = true;
  await clock.advanceInSteps(3_600_000, 60_000);
  readings.away = false;
  await clock.advanceInSteps(3_600_000, 60_000);
  expect(readings.retained).toHaveLength(4);
  await stop();
});
