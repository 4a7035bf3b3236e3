import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CommitLog } from './commit-log.ts';
import { emptyPosition, logFiles, readLog } from './commit-log-file.ts';
import { decodeRecords } from './commit-record.ts';
import type { AppliedCommit, StoredCommit } from './journal-file.ts';

/** Small, so that the files take turns all the time. */
const SMALL = 2000;

/** What becomes of the next write: how much of it reaches the disk, and what is said of it. */
interface Fate {
  /** Share of the bytes. */
  written: number;
  answer: 'done' | 'failed' | 'killed';
}

const disk = vi.hoisted(() => ({ fates: [] as unknown[] }));

vi.mock('./commit-log-file.ts', async (original) => ({ ...(await original<object>()), LOG_BYTES: 2000 }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const write = (
    fd: number,
    bytes: Buffer,
    from: number,
    length: number,
    at: number,
    done: (error: Error | null, written: number) => void,
  ) => {
    const { written, answer } = (disk.fates.shift() ?? { written: 1, answer: 'done' }) as Fate;
    real.writeSync(fd, bytes, from, Math.round(length * written), at);
    if (answer !== 'killed') setImmediate(done, answer === 'failed' ? new Error('EIO') : null, length);
  };
  return {
    ...real,
    constants: { ...real.constants, O_DSYNC: 0 },
    fdatasync: (_fd: number, done: (error: null) => void) => done(null),
    write,
  };
});

let dataDir: string;
beforeEach(() => {
  dataDir = fs.mkdtempSync(join(tmpdir(), 'smartfire-log-'));
});
afterEach(() => fs.rmSync(dataDir, { recursive: true, force: true }));

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>({ written: 1, answer: 'done' }) },
  fc.record({
    written: fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    answer: fc.constantFrom('failed', 'killed'),
  }),
);
const step = fc.record({
  fate,
  /** Of the erasing, should there be one. */
  erased: fate,
  count: fc.nat(3),
  size: fc.nat(SMALL * 0.7),
  /** Commits that are applied before it, of those that are not. */
  applied: fc.nat(4),
  /** Whether a kill finds the journal's own file without room at the next start. */
  full: fc.boolean(),
});

test('whatever write fails, is torn, or is the last before a kill: what was acknowledged is found once, what was refused is not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const files = logFiles(join(dataDir, 'journal.db'));
      for (const file of files) fs.writeFileSync(file, Buffer.alloc(3 * SMALL));
      const label = ({ commit }: { commit: StoredCommit }) => JSON.parse(commit.rest!).label as number;
      /** Acknowledged, in order; those up to `applied` have been released. */
      let kept: AppliedCommit[] = [];
      let applied = 0;
      const opened: CommitLog[] = [];
      const open = async (position = emptyPosition()) => {
        const { seq, commit } = kept.at(-1) ?? { seq: 0, commit: { firstNo: 1, count: 0 } };
        const log = await CommitLog.open({
          ...{ files, position, nextNo: commit.firstNo + commit.count, seq, releasedSeq: applied },
          kept: (record) => kept.push(...decodeRecords(Buffer.from(record))),
          crowded: () => {
            applied = kept.at(-1)!.seq;
            queueMicrotask(() => log.release(applied));
          },
        });
        opened.push(log);
        return log;
      };
      disk.fates = [];
      let log = await open();
      /** May be found after a kill though nobody was told of it. */
      let unsure: number | null = null;
      for (const [index, { fate, erased, count, size, applied: more, full }] of steps.entries()) {
        applied = Math.max(applied, Math.min(applied + more, kept.at(-1)?.seq ?? 0));
        log.release(applied);
        const before = kept.at(-1)?.commit;
        const firstNo = before ? before.firstNo + before.count : 1;
        const nothing = { readings: null, newSeries: [], deadLetters: [], marks: null, now: 1 };
        const commit: StoredCommit = { ...nothing, firstNo, count, rest: restOf(index, size) };
        disk.fates = [fate, erased];
        // One that could not be erased so far is tried first.
        if (unsure !== null) disk.fates = [erased, fate];
        const answer = log.append(commit).then(
          () => 'kept',
          () => 'refused',
        );
        const outcome = await Promise.race([answer, settled()]);
        await settled();
        const killed =
          outcome === 'waits' || [fate, erased].some((one) => one.answer === 'killed' && !disk.fates.includes(one));
        const found = readLog(files, applied).commits.map(label);
        const wanted = kept.filter(({ seq }) => seq > applied).map(label);
        const extra = found.slice(wanted.length);
        expect(found.slice(0, wanted.length)).toEqual(wanted);
        if (outcome === 'kept') unsure = null;
        else unsure = extra[0] ?? unsure;
        // Only one that nobody was told to be kept and that could not be erased since.
        expect(extra.length).toBeLessThanOrEqual(1);
        if (outcome === 'kept') expect(extra).toEqual([]);
        if (!killed) continue;
        const again = readLog(files, applied);
        kept = [...kept.filter(({ seq }) => seq <= applied), ...again.commits];
        unsure = null;
        disk.fates = [];
        if (full && again.commits.length > 0) log = await open(again.position);
        else {
          applied = kept.at(-1)?.seq ?? 0;
          for (const file of files) {
            const bytes = fs.readFileSync(file);
            bytes.fill(0, 0, 4);
            fs.writeFileSync(file, bytes);
          }
          log = await open();
        }
      }
      expect(kept.map(({ seq }) => seq)).toEqual(kept.map((_, index) => index + 1));
      for (const one of opened) void one.close().catch(() => {});
    }),
    { numRuns: 300 },
  );
});

/** Tells the commits apart, and makes them larger. */
const restOf = (label: number, size: number) =>
  JSON.stringify({ entries: [], newSeries: [], label, more: 'x'.repeat(size) });

/** When everything that answers has answered. */
async function settled(): Promise<'waits'> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
  return 'waits';
}
