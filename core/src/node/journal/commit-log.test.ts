import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readingsBatch } from '../../testing/journal.contract.ts';
import { encodeReadings } from './batch-codec.ts';
import { CommitLog } from './commit-log.ts';
import { emptyPosition, LOG_BYTES, logFiles, prepareLogFiles, readLog } from './commit-log-file.ts';
import type { StoredCommit } from './journal-file.ts';

type Write = (
  fd: number,
  bytes: Buffer,
  from: number,
  length: number,
  at: number,
  done: (error: Error | null, written: number) => void,
) => void;

/** What the disk does with the next writes; `undefined` = writes. */
const disk = vi.hoisted(() => ({ next: [] as ((go: () => void, fail: (error: Error) => void) => void)[] }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const write: Write = (fd, bytes, from, length, at, answer) => {
    let answered = false;
    const done: typeof answer = (error, written) => {
      if (!answered) answer(error, written);
      answered = true;
    };
    const go = () => (real.write as unknown as Write)(fd, bytes, from, length, at, done);
    const turn = disk.next.shift();
    if (turn) turn(go, (error) => done(error, 0));
    else go();
  };
  return { ...real, write };
});

let dataDir: string;
let files: [string, string];
let kept: number[];
let crowded: number;

beforeEach(() => {
  dataDir = fs.mkdtempSync(join(tmpdir(), 'smartfire-log-'));
  files = logFiles(join(dataDir, 'journal.db'));
  prepareLogFiles(files);
  kept = [];
  crowded = 0;
  disk.next = [];
});
afterEach(() => fs.rmSync(dataDir, { recursive: true, force: true }));

const openLog = (nextNo = 1, seq = 0) =>
  CommitLog.open({
    ...{ files, nextNo, seq, releasedSeq: seq, position: emptyPosition() },
    kept: (_, seq) => kept.push(seq),
    crowded: () => crowded++,
  });

function commitOf(firstNo: number, count: number): StoredCommit {
  const { readings } = readingsBatch(firstNo, count);
  const columns = encodeReadings(readings);
  return { firstNo, count, readings: columns, rest: null, newSeries: [], deadLetters: [], marks: null, now: 1 };
}

const found = (applied: number) => readLog(files, applied).commits.map(({ commit, seq }) => [seq, commit.firstNo]);
const fails = (_: () => void, fail: (error: Error) => void) => fail(new Error('EIO'));

test('what was appended is found again in order, beyond what is applied, and what was half written is not', async () => {
  const log = await openLog();
  for (let n = 0; n < 5; n++) await log.append(commitOf(1 + 10 * n, 10));
  await log.close();
  expect(found(0)).toEqual([1, 2, 3, 4, 5].map((seq) => [seq, 10 * seq - 9]));
  expect(found(3)).toEqual([
    [4, 31],
    [5, 41],
  ]);
  const bytes = fs.readFileSync(files[0]);
  bytes.fill(0, bytes.indexOf(Buffer.from(Float64Array.of(41).buffer)) + 40);
  fs.writeFileSync(files[0], bytes);
  expect(found(3)).toEqual([[4, 31]]);
});

test('one is written at a time, so that none ever lies behind one that is not there', async () => {
  const log = await openLog();
  const waiting: (() => void)[] = [];
  disk.next = [(go) => waiting.push(go), (go) => waiting.push(go)];
  const answered: number[] = [];
  const all = [0, 1, 2].map((n) => log.append(commitOf(1 + n, 1)).then(() => answered.push(n)));
  expect(waiting).toHaveLength(1);
  waiting[0]!();
  await all[0];
  await expect.poll(() => waiting.length).toBe(2);
  expect([answered, found(0)]).toEqual([[0], [[1, 1]]]);
  waiting[1]!();
  await Promise.all(all);
  expect([answered, kept]).toEqual([
    [0, 1, 2],
    [1, 2, 3],
  ]);
  await log.close();
});

test('one that fails where the files change over leaves nothing that a later start could take for a commit', async () => {
  const log = await openLog();
  const count = Math.floor((LOG_BYTES - 5000) / 29);
  await log.append(commitOf(1, count));
  // The second has room in the first file, the third has not.
  let failNow = () => {};
  disk.next = [(_, fail) => (failNow = () => fail(new Error('EIO')))];
  const refused = [commitOf(count + 1, 100), commitOf(count + 101, 1000)].map((commit) => log.append(commit));
  failNow();
  for (const { status } of await Promise.allSettled(refused)) expect(status).toBe('rejected');
  await log.append(commitOf(count + 1, 7));
  await log.close();
  expect(found(2)).toEqual([]);
});

test('one that fails is refused with all behind it, and none of them is found, also when one behind it was written', async () => {
  const log = await openLog();
  await log.append(commitOf(1, 1));
  disk.next = [fails];
  const refused = [2, 3].map((n) => log.append(commitOf(n, 1)));
  for (const { status } of await Promise.allSettled(refused)) expect(status).toBe('rejected');
  await expect(log.append(commitOf(4, 1))).rejects.toThrow('4 was given where 2 is next');
  expect(found(0)).toEqual([[1, 1]]);
  // As long as the one before it was: what was written behind it must not seem to follow.
  await log.append(commitOf(2, 1));
  expect(found(0)).toEqual([
    [1, 1],
    [2, 2],
  ]);
  await log.close();
});

test('a refused one that is on the disk after all is erased before the next, and while that cannot be nothing is taken', async () => {
  const log = await openLog();
  disk.next = [
    (go) => {
      go();
    },
    (go, fail) => {
      // Written, and then said to have failed.
      go();
      fail(new Error('EIO'));
    },
    fails,
    fails,
  ];
  await log.append(commitOf(1, 1));
  await expect(log.append(commitOf(2, 1))).rejects.toThrow('EIO');
  await expect.poll(() => found(0).length).toBe(2);
  await expect(log.append(commitOf(2, 3))).rejects.toThrow('EIO');
  await log.append(commitOf(2, 5));
  await log.close();
  expect(readLog(files, 1).commits.map(({ commit }) => commit.count)).toEqual([5]);
});

test('a file is used anew when all in it is applied, and never before', async () => {
  const log = await openLog();
  const count = 100_000;
  let next = 1;
  const append = () => {
    const commit = commitOf(next, count);
    next += count;
    return log.append(commit);
  };
  const perFile = Math.floor(LOG_BYTES / (29 * count + 56));
  for (let n = 0; n < 2 * perFile; n++) await append();
  expect(crowded).toBe(0);
  const blocked = append();
  expect(crowded).toBe(1);
  log.release(perFile - 1);
  expect(crowded).toBe(2);
  log.release(perFile);
  await blocked;
  expect(found(perFile)).toEqual(
    Array.from({ length: perFile + 1 }, (_, n) => [perFile + 1 + n, 1 + (perFile + n) * count]),
  );
  const waiting = Array.from({ length: perFile }, append);
  const refused = Promise.allSettled(waiting);
  await expect.poll(() => crowded).toBeGreaterThan(2);
  log.refuseWaiting(new Error('full'));
  expect((await refused).at(-1)!.status).toBe('rejected');
  await log.close();
});

test('after it is closed nothing is written, and what is being written or erased is waited for', async () => {
  const written: string[] = [];
  for (const failure of [null, new Error('EIO')]) {
    const log = await openLog();
    let answer = () => {};
    const stalls = (what: string) => (go: () => void) => {
      answer = () => {
        written.push(what);
        go();
      };
    };
    disk.next = failure ? [fails, stalls('erased')] : [stalls('commit')];
    const appended = log.append(commitOf(1, 1)).catch((error: Error) => error);
    const behind = log.append(commitOf(2, 1)).catch((error: Error) => error);
    if (failure) expect(await appended).toEqual(failure);
    const closed = log.close().then(() => written.push('closed'));
    expect(await behind).toMatchObject({ message: 'the log is closed' });
    answer();
    await closed;
    await expect(log.append(commitOf(2, 1))).rejects.toThrow('the log is closed');
  }
  expect(written).toEqual(['commit', 'closed', 'erased', 'closed']);
});

test('what an earlier start has left in the files is no part of what this one writes', async () => {
  const first = await openLog();
  for (let n = 0; n < 6; n++) await first.append(commitOf(1 + n, 1));
  await first.close();
  prepareLogFiles(files);
  expect(found(6)).toEqual([]);
  const second = await openLog(7, 6);
  await second.append(commitOf(7, 1));
  await second.close();
  expect(found(6)).toEqual([[7, 7]]);
});

test('a commit larger than a file is taken, and the files are made at full size once', async () => {
  const log = await openLog();
  const count = Math.ceil(LOG_BYTES / 29) + 1;
  await log.append(commitOf(1, count));
  await log.close();
  expect(found(0)).toEqual([[1, 1]]);
  const { size } = fs.statSync(files[0]);
  prepareLogFiles(files);
  expect(files.map((file) => fs.statSync(file).size)).toEqual([size, LOG_BYTES]);
});

test("a log that is missing, or that is another journal's, is told: it may hold what was acknowledged", async () => {
  const log = await openLog(51, 50);
  for (let n = 0; n < 3; n++) await log.append(commitOf(51 + n, 1));
  await log.close();
  expect(found(53)).toEqual([]);
  // The journal's own file from a copy made earlier.
  expect(() => found(49)).toThrow('journal.db-log-a has lost what was before it');
  fs.rmSync(files[1]);
  expect(() => found(53)).toThrow('journal.db-log-b is missing');
  fs.writeFileSync(files[1], '');
  expect(found(52)).toEqual([[53, 53]]);
});
