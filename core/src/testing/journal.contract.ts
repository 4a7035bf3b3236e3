import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchBuilder, eachInOrder } from '../journal-batch.ts';
import type { Clock } from '../ports/clock.ts';
import type { CommitExtras, DeadLetter, Journal, JournalBatch } from '../ports/journal.ts';

export type OpenJournal = (options: { dataDir: string; max: number; clock: Clock }) => Journal;

export const NOTHING: CommitExtras = { deadLetters: [], marks: [] };
const ROOM = 1 << 30;

/** A batch of `count` readings of series 0, 1, 2… with an event in front when `event` is given. */
export function readingsBatch(
  firstNo: number,
  count: number,
  { event, series = 10 }: { event?: string; series?: number } = {},
): JournalBatch {
  const builder = new BatchBuilder(firstNo);
  if (event) builder.addEntry(eventEntry(event));
  for (let row = 0; row < count; row++)
    builder.addReading(row % series, 1.7e12 + firstNo + row, 1.7e12 + firstNo, (firstNo + row) / 7, row % 32);
  return builder.build();
}

export function letterOf(device: string, payload = '{'): Omit<DeadLetter, 'id'> {
  const problems = [{ code: 'SHAPE' as const, index: 0, path: '[0].values', detail: 'no object' }];
  return {
    device,
    topic: `smartfire/v1/${device}/telemetry`,
    receivedAt: 5,
    code: 'SHAPE',
    problems,
    payload,
    encoding: 'utf8',
  };
}

const eventEntry = (event: string) =>
  ({
    type: 'event',
    device: 'd',
    point: '',
    event,
    detail: '火\u0000"',
    time: 1,
    deviceTime: null,
    receivedAt: 2,
    flags: 0,
  }) as const;

/** What every journal does. `open` gives one that lies in `dataDir`. */
export function journalContract(name: string, openJournal: OpenJournal): void {
  describe(`journal: ${name}`, () => {
    let dataDir: string;
    let now = 1.7e12;
    const opened: Journal[] = [];
    const clock: Clock = { now: () => now, setTimeout: () => ({ cancel() {} }), setInterval: () => ({ cancel() {} }) };
    const open = async (max = ROOM) => {
      const journal = openJournal({ dataDir, max, clock });
      opened.push(journal);
      return { journal, state: await journal.open() };
    };
    const contents = (batches: JournalBatch[]) => {
      const rows: unknown[] = [];
      for (const batch of batches)
        eachInOrder(batch, {
          reading: ({ no, series, time, receivedAt, value, flags }, row) =>
            rows.push([no[row], series[row], time[row], receivedAt[row], value[row], flags[row]]),
          entry: (entry) => rows.push(entry),
        });
      return rows;
    };

    beforeEach(() => {
      dataDir = mkdtempSync(join(tmpdir(), 'smartfire-journal-'));
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((journal) => journal.close()));
      rmSync(dataDir, { recursive: true, force: true });
    });

    test('what was committed is read back bit by bit, from any number on', async () => {
      const { journal, state } = await open();
      expect(state).toEqual({ nextNo: 1, firstNo: 1, series: [], marks: [], cursors: {} });
      let next = 1;
      const item = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom('fire', 'tick', 'state', 'presence'));
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(item, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 5 }),
          fc.nat(100),
          async (batches, skip) => {
            const start = next;
            const written: JournalBatch[] = [];
            for (const items of batches) {
              const builder = new BatchBuilder(next);
              for (const [at, it] of items.entries()) {
                if (typeof it === 'number') builder.addReading(at * 1e5, it, it - 1, it, at % 256);
                else if (it === 'tick') builder.addEntry({ type: 'tick', receivedAt: at });
                else if (it === 'state') builder.addEntry({ type: 'state', device: 'd', online: true, receivedAt: at });
                else if (it === 'presence')
                  builder.addEntry({
                    type: 'presence',
                    device: 'd',
                    online: false,
                    reason: 'keepalive',
                    receivedAt: at,
                  });
                else builder.addEntry(eventEntry(it));
              }
              written.push(builder.build());
              await journal.commit(written.at(-1)!, NOTHING);
              next += items.length;
            }
            const from = Math.min(start + skip, next - 1);
            expect(contents(await journal.read(from, 1e6))).toEqual(contents(written).slice(from - start));
          },
        ),
        { numRuns: 30 },
      );
      expect(await journal.read(next, 10)).toEqual([]);
    });

    test('a batch stays usable after its commit, and commits in a row keep their order', async () => {
      const { journal } = await open();
      const batches = Array.from({ length: 20 }, (_, index) => readingsBatch(1 + index * 100, 100));
      await Promise.all(batches.map((batch) => journal.commit(batch, NOTHING)));
      expect(contents(await journal.read(1, 1e6))).toEqual(contents(batches));
    });

    test('read gives at most what was asked for but at least one batch', async () => {
      const { journal } = await open();
      for (let index = 0; index < 5; index++) await journal.commit(readingsBatch(1 + index * 100, 100), NOTHING);
      expect((await journal.read(1, 250)).map((batch) => batch.firstNo)).toEqual([1, 101]);
      expect((await journal.read(1, 1)).map((batch) => batch.count)).toEqual([100]);
      expect((await journal.read(150, 51)).map((batch) => [batch.firstNo, batch.count])).toEqual([[150, 51]]);
    });

    test('everything is there again after reopening', async () => {
      const first = await open();
      const builder = new BatchBuilder();
      builder.addSeries({ index: 0, device: 'a', point: '', metric: 'co' });
      builder.addSeries({ index: 1, device: 'a', point: 'loop-1', metric: 'temperature' });
      builder.addReading(1, 10, 11, -0, 3);
      const batch = builder.build();
      const marks = [
        { device: 'a', hash: 0xffff_ffff_ffff_ffffn, receivedAt: now },
        { device: 'b', hash: 7n, receivedAt: now - 1 },
      ];
      await first.journal.commit(batch, { marks, deadLetters: [letterOf('a')] });
      first.journal.advance('readings', 1);
      await first.journal.close();

      const { journal, state } = await open();
      expect(state).toEqual({ nextNo: 2, firstNo: 1, series: batch.newSeries, marks, cursors: { readings: 1 } });
      expect(await journal.read(1, 10)).toEqual([batch]);
      expect(await journal.deadLetters({ limit: 10 })).toEqual([{ id: expect.any(Number), ...letterOf('a') }]);
    });

    test('a batch that does not follow the last one is refused whole', async () => {
      const { journal } = await open();
      await expect(
        journal.commit(readingsBatch(5, 3), { ...NOTHING, deadLetters: [letterOf('a')] }),
      ).rejects.toMatchObject({
        code: 'FIRE_JOURNAL_IO',
      });
      expect(await journal.read(1, 10)).toEqual([]);
      expect(await journal.deadLetters({ limit: 10 })).toEqual([]);
      await journal.commit(readingsBatch(1, 3), NOTHING);
    });

    test('batches go when the slowest attached consumer has passed them, and numbers never start again', async () => {
      const { journal } = await open();
      for (let index = 0; index < 300; index++) await journal.commit(readingsBatch(1 + index * 1000, 1000), NOTHING);
      const full = journal.usage().bytes;
      journal.advance('engine', 1);
      journal.advance('readings', 300_001);
      expect((await journal.read(1, 10))[0]!.firstNo).toBe(1);
      journal.advance('engine', 150_500);
      await expect.poll(async () => (await journal.read(1, 10))[0]!.firstNo).toBe(150_001);
      await expect.poll(() => journal.usage().bytes).toBeLessThan(full * 0.6);
      journal.advance('engine', 300_001);
      await expect.poll(() => journal.usage().bytes).toBeLessThan(full * 0.1);
      await journal.close();
      const { state } = await open();
      expect(state.nextNo).toBe(300_001);
      expect(state.firstNo).toBeGreaterThan(290_000);
      expect(state.cursors).toEqual({ engine: 300_001, readings: 300_001 });
    });

    test('near its cap it refuses readings, keeps events, and recovers when a consumer moves on', async () => {
      const { journal } = await open(4_000_000);
      let next = 1;
      const fill = async (count: number, event?: string) => {
        const batch = readingsBatch(next, count, event ? { event } : {});
        await journal.commit(batch, NOTHING);
        next += batch.count;
      };
      const tillFull = async (work: () => Promise<void>) => {
        for (;;) {
          try {
            await work();
          } catch (error) {
            return error;
          }
        }
      };
      expect(await tillFull(() => fill(1000))).toMatchObject({ code: 'FIRE_JOURNAL_FULL', params: { max: 4_000_000 } });
      expect(journal.usage().max).toBe(4_000_000);
      expect(journal.usage().bytes).toBeLessThanOrEqual(4_000_000 * 0.95);
      await fill(0, 'fire');
      await expect(fill(1000, 'fire')).rejects.toMatchObject({ code: 'FIRE_JOURNAL_FULL' });
      const events = next;
      expect(await tillFull(() => fill(0, 'fire'.repeat(2000)))).toMatchObject({ code: 'FIRE_JOURNAL_FULL' });
      expect(next - events).toBeGreaterThan(10);
      expect(journal.usage().bytes).toBeLessThanOrEqual(4_000_000 + 65_536);
      journal.advance('readings', next);
      await expect.poll(() => journal.usage().bytes).toBeLessThan(1_000_000);
      await fill(1000);
    });

    test('dead letters are bounded per device, newest first, and can be asked for by device', async () => {
      const { journal } = await open();
      await journal.commit(readingsBatch(1, 1), { marks: [], deadLetters: [letterOf('quiet', '安')] });
      for (let round = 0; round < 3; round++)
        await journal.commit(readingsBatch(2 + round, 1), {
          marks: [],
          deadLetters: Array.from({ length: 600 }, (_, index) => letterOf('loud', `${round}-${index}`)),
        });
      await journal.addDeadLetter(letterOf('loud', 'later'));
      const loud = await journal.deadLetters({ devices: ['loud', 'nobody'], limit: 5000 });
      expect(loud).toHaveLength(1000);
      expect(loud[0]!.payload).toBe('later');
      expect(loud.at(-1)!.payload).toBe('1-201');
      expect(await journal.deadLetters({ devices: ['quiet'], limit: 5 })).toMatchObject([{ payload: '安' }]);
      expect(await journal.deadLetters({ devices: [], limit: 5 })).toEqual([]);
      expect((await journal.deadLetters({ before: loud[1]!.id, limit: 2 })).map(({ id }) => id)).toEqual([
        loud[2]!.id,
        loud[3]!.id,
      ]);
    });

    test('marks are kept while among the last 256 of their device or within 10 minutes', async () => {
      const first = await open();
      let next = 1;
      let hash = 0n;
      const mark = async (device: string, count: number) => {
        const marks = Array.from({ length: count }, () => ({ device, hash: hash++, receivedAt: now }));
        await first.journal.commit(readingsBatch(next++, 1), { marks, deadLetters: [] });
        return marks;
      };
      const quiet = await mark('quiet', 3);
      for (let round = 0; round < 40; round++) await mark('loud', 500);
      now += 600_001;
      const before = await mark('loud', 200);
      for (let round = 0; round < 40; round++) await mark('other', 500);
      const after = await mark('loud', 100);
      await first.journal.close();
      const { state } = await open();
      const of = (device: string) => state.marks.filter((it) => it.device === device);
      expect(of('quiet')).toEqual(quiet);
      expect(of('loud').slice(-300)).toEqual([...before, ...after]);
      expect(of('loud')).toHaveLength(300);
      expect(of('other')).toHaveLength(20_000);
      now += 600_001;
      await open().then(
        () => expect.unreachable('two at once'),
        (error) => expect(error).toMatchObject({ code: 'FIRE_JOURNAL_IO' }),
      );
      await opened[1]!.close();
      const again = await open();
      expect(again.state.marks.filter((it) => it.device === 'other')).toHaveLength(256);
    });

    test('a million readings are read in a second or so, even on a busy machine', async () => {
      const { journal } = await open();
      for (let index = 0; index < 100; index++)
        await journal.commit(readingsBatch(1 + index * 10_000, 10_000), NOTHING);
      const started = performance.now();
      const batches = await journal.read(1, 1_000_000);
      expect(performance.now() - started).toBeLessThan(3000);
      expect(batches.reduce((sum, batch) => sum + batch.count, 0)).toBe(1_000_000);
    });
  });
}
