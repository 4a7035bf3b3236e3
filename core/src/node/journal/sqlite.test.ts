import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Journal } from '../../ports/journal.ts';
import { journalContract, letterOf, NOTHING, readingsBatch } from '../../testing/journal.contract.ts';
import { killWhen } from '../../testing/kill-when.ts';
import { systemClock } from '../clock.ts';
import { logFiles } from './commit-log-file.ts';
import { openJournal } from './open.ts';
import { createSqliteJournal } from './sqlite.ts';

journalContract('sqlite', (options) => openJournal('sqlite:journal.db', options));

describe('the journal file', () => {
  let dataDir: string;
  let file: string;
  const opened: Journal[] = [];
  const make = (options: { maxPages?: number } = {}) => {
    const journal = createSqliteJournal({ file, max: 2 ** 30, clock: systemClock, ...options });
    opened.push(journal);
    return journal;
  };
  const filled = async () => {
    const journal = make();
    await journal.open();
    for (let at = 0; at < 20; at++) await journal.commit(readingsBatch(1 + at * 2000, 2000), NOTHING);
    await journal.close();
  };

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'smartfire-journal-'));
    file = join(dataDir, 'journal.db');
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((journal) => journal.close()));
    rmSync(dataDir, { recursive: true, force: true });
  });

  test('kill -9 in the midst of commits loses nothing that was acknowledged and keeps no half batch', async () => {
    const script = new URL('../../testing/journal-writer.ts', import.meta.url).pathname;
    for (let round = 1; round <= 4; round++) {
      const acknowledged = Number(await killWhen(script, dataDir, (_, count) => count === 7 * round));
      const journal = make();
      const { nextNo, marks } = await journal.open();
      expect(nextNo).toBeGreaterThanOrEqual(acknowledged);
      expect((nextNo - 1) % 501).toBe(0);
      const batches = await journal.read(1, 1e7);
      expect(batches.reduce((sum, batch) => sum + batch.count, 0)).toBe(nextNo - 1);
      expect(marks).toHaveLength((nextNo - 1) / 501);
      for (const { readings, firstNo } of batches)
        for (let row = 0; row < readings.length; row += 100) expect(readings.value[row]).toBe((firstNo + row) / 7);
      await journal.close();
    }
  }, 30_000);

  test('a file of the format before is taken over with all that is in it', async () => {
    await filled();
    const db = new DatabaseSync(file);
    db.exec('DROP TABLE commit_log; PRAGMA user_version = 1');
    db.close();
    for (const log of logFiles(file)) rmSync(log);
    const journal = make();
    expect(await journal.open()).toMatchObject({ nextNo: 40_001, firstNo: 1 });
    await journal.commit(readingsBatch(40_001, 10), NOTHING);
    await journal.close();
    expect(await make().open()).toMatchObject({ nextNo: 40_011 });
  });

  test('marks and dead letters that only the log had when it was killed are there once', async () => {
    const journal = make();
    await journal.open();
    const marks = ['a', 'b'].map((device, n) => ({ device, hash: BigInt(n + 1), receivedAt: systemClock.now() }));
    await journal.commit(readingsBatch(1, 3), { marks, deadLetters: [letterOf('a')] });
    // As a kill leaves it: the log, and a file that has seen nothing of it.
    const copy = join(dataDir, 'copy.db');
    for (const part of ['', '-wal', '-log-a', '-log-b'])
      if (existsSync(`${file}${part}`)) copyFileSync(`${file}${part}`, `${copy}${part}`);
    for (let start = 0; start < 2; start++) {
      const again = createSqliteJournal({ file: copy, max: 2 ** 30, clock: systemClock });
      expect(await again.open()).toMatchObject({ nextNo: 4, marks });
      expect(await again.deadLetters({ limit: 10 })).toMatchObject([letterOf('a')]);
      await again.close();
    }
  });

  test('dead letters are listed once, with the ids they keep, while more come and others ask', async () => {
    const journal = make();
    await journal.open();
    let count = 0;
    let asking = 2;
    const ask = async () => {
      for (let n = 0; n < 60; n++) {
        const letters = await journal.deadLetters({ limit: 50 });
        for (const { payload, id } of letters) expect(payload).toBe(`${id}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      asking--;
    };
    const asked = Promise.all([ask(), ask()]);
    for (; asking > 0; count++) {
      const letter = letterOf('d', `${count + 1}`);
      await journal.commit(readingsBatch(1 + 10 * count, 10), { marks: [], deadLetters: [letter] });
    }
    await asked;
  });

  test('a file of another program or version is refused and left as it is', async () => {
    await filled();
    const db = new DatabaseSync(file);
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(make().open()).rejects.toMatchObject({
      code: 'FIRE_FORMAT_UNKNOWN',
      params: { file, found: 99, known: 2 },
    });
    rmSync(file);
    const foreign = new DatabaseSync(file);
    foreign.exec('CREATE TABLE recipes(name)');
    foreign.close();
    const before = readFileSync(file);
    await expect(make().open()).rejects.toMatchObject({ code: 'FIRE_FORMAT_UNKNOWN' });
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test.each([
    ['garbage', () => writeFileSync(file, 'no database at all '.repeat(999))],
    ['an empty file', () => truncateSync(file, 0)],
    ['a file cut in half', () => truncateSync(file, Math.floor(statSync(file).size / 2 / 8192) * 8192)],
    ['a missing file beside its WAL', () => [rmSync(file), writeFileSync(`${file}-wal`, 'left over')]],
    ['a missing file beside its log', () => rmSync(file)],
  ])('%s is told, and nothing is made in its place', async (_, damage) => {
    await filled();
    damage();
    const size = statSync(file, { throwIfNoEntry: false })?.size;
    await expect(make().open()).rejects.toMatchObject({ code: 'FIRE_JOURNAL_IO' });
    expect(statSync(file, { throwIfNoEntry: false })?.size).toBe(size);
  });

  test('a batch whose bytes have changed on disk is told, the others can be read', async () => {
    await filled();
    const bytes = readFileSync(file);
    // Somewhere in the values of a batch in the middle.
    const value = Buffer.from(Float64Array.of(20_500 / 7).buffer);
    bytes[bytes.indexOf(value)]! ^= 1;
    writeFileSync(file, bytes);
    const journal = make();
    await journal.open();
    expect(await journal.read(1, 20_000)).toHaveLength(10);
    await expect(journal.read(20_001, 10)).rejects.toMatchObject({
      code: 'FIRE_JOURNAL_IO',
      message: expect.stringContaining('damaged'),
    });
    expect(await journal.read(22_001, 1e6)).toHaveLength(9);
  });

  test('a full disk refuses the commit whole, and everything goes on when there is room again', async () => {
    const small = make({ maxPages: 40 });
    await small.open();
    let next = 1;
    let failure: unknown;
    while (!failure) {
      const extras = {
        marks: [{ device: 'd', hash: BigInt(next), receivedAt: systemClock.now() }],
        deadLetters: [letterOf(next % 2000 === 1 ? 'd' : 'e')],
      };
      await small.commit(readingsBatch(next, 1000), extras).then(
        () => (next += 1000),
        (error) => (failure = error),
      );
    }
    expect(failure).toMatchObject({ code: 'FIRE_JOURNAL_FULL' });
    const full = (next - 1) / 1000;
    const letters = await small.deadLetters({ limit: 1000 });
    expect(letters).toHaveLength(full);
    const ofOne = await small.deadLetters({ devices: ['d'], limit: 1000 });
    expect(ofOne).toEqual(letters.filter(({ device }) => device === 'd'));
    // The log lies on the disk already: what devices declare is taken all the same.
    for (let fires = 0; fires < 50; fires++) await small.commit(readingsBatch(next++, 0, { event: 'fire' }), NOTHING);
    await expect(small.commit(readingsBatch(next, 1), NOTHING)).rejects.toMatchObject({ code: 'FIRE_JOURNAL_FULL' });
    await small.close();
    const journal = make();
    const { nextNo, marks } = await journal.open();
    expect([nextNo, marks.length]).toEqual([next, full]);
    expect((await journal.read(next - 50, 100)).flatMap(({ entries }) => entries)).toHaveLength(50);
    await journal.commit(readingsBatch(next, 1000), NOTHING);
  });

  test('with a disk that is full it starts all the same, knows all that the log holds, and goes on behind it', async () => {
    let journal = make({ maxPages: 40 });
    let { nextNo: next } = await journal.open();
    const fire = async (event: string) => {
      const batch = readingsBatch(next, 0, { event });
      if (event === '0') batch.newSeries.push({ index: 0, device: 'd', point: '', metric: 'co' });
      const marks = [{ device: 'd', hash: BigInt(next), receivedAt: systemClock.now() }];
      await journal.commit(batch, { marks, deadLetters: [letterOf('d', event)] });
      next++;
    };
    for (let failure: unknown; !failure; )
      await journal.commit(readingsBatch(next, 1000), NOTHING).then(
        () => (next += 1000),
        (error) => (failure = error),
      );
    expect(journal.usage().full).toBe(true);
    const from = next;
    const known = async () => ({
      events: (await journal.read(from, 1000)).flatMap(({ entries }) =>
        entries.map((entry) => 'event' in entry && entry.event),
      ),
      letters: (await journal.deadLetters({ limit: 1000 })).map(({ payload }) => payload).reverse(),
    });
    for (let n = 0; n < 20; n++) await fire(String(n));
    for (let start = 1; start <= 3; start++) {
      const all = Array.from({ length: 20 * start }, (_, n) => String(n));
      await expect(journal.commit(readingsBatch(next, 1000), NOTHING)).rejects.toMatchObject({
        code: 'FIRE_JOURNAL_FULL',
      });
      expect(await known()).toEqual({ events: all, letters: all });
      expect((await journal.read(next - 1, 1)).map(({ firstNo, count }) => [firstNo, count])).toEqual([[next - 1, 1]]);
      await journal.close();
      journal = make(start < 3 ? { maxPages: 40 } : {});
      const state = await journal.open();
      expect(state).toMatchObject({ nextNo: next, series: [{ index: 0, device: 'd' }] });
      expect(state.marks.map(({ hash }) => Number(hash) - from)).toEqual(all.map(Number));
      for (let n = all.length; start < 3 && n < all.length + 20; n++) await fire(String(n));
    }
    const all = Array.from({ length: 60 }, (_, n) => String(n));
    expect(await known()).toEqual({ events: all, letters: all });
    expect(journal.usage().full).toBe(false);
    await journal.commit(readingsBatch(next, 1000), NOTHING);
  });

  test('when its thread dies all that waits is refused; opening again tells what was kept', async () => {
    let thread: Worker | undefined;
    process.once('worker', (worker) => (thread = worker));
    const journal = make();
    await journal.open();
    await journal.commit(readingsBatch(1, 10), NOTHING);
    const waiting = [readingsBatch(11, 10), readingsBatch(21, 10)].map((batch) => journal.commit(batch, NOTHING));
    const settled = Promise.allSettled(waiting);
    await thread!.terminate();
    for (const result of await settled)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'FIRE_JOURNAL_IO' });
    await expect(journal.commit(readingsBatch(31, 1), NOTHING)).rejects.toMatchObject({ code: 'FIRE_JOURNAL_IO' });
    const { nextNo } = await journal.open();
    expect(nextNo).toBeGreaterThanOrEqual(11);
    await journal.commit(readingsBatch(nextNo, 1), NOTHING);
  });
});
