import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../testing/fake-clock.ts';
import { Applying } from './applying.ts';
import { decodeRecords, encodeRecord } from './commit-record.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A file that takes records when it is told to. */
function slowFile(clock: FakeClock) {
  const taken: number[][] = [];
  const open: (() => void)[] = [];
  const applying = new Applying(
    {
      clock,
      apply(records) {
        const seqs = decodeRecords(Buffer.from(records)).map(({ seq }) => seq);
        taken.push(seqs);
        return new Promise((resolve) => open.push(() => resolve({ seq: seqs.at(-1)!, error: null })));
      },
      applied() {},
      stuck() {},
    },
    0,
  );
  let seq = 0;
  return {
    applying,
    taken,
    commit() {
      const commit = { firstNo: ++seq, count: 1, readings: null, rest: null };
      const { bytes, length } = encodeRecord(
        { ...commit, newSeries: [], deadLetters: [], marks: null, now: 0 },
        seq,
        0,
        null,
      );
      applying.add(bytes.subarray(0, length), seq);
    },
    async done() {
      open.shift()!();
      await turn();
    },
  };
}

describe('commits on their way into the file', () => {
  const clock = new FakeClock();
  const file = slowFile(clock);
  afterEach(() => file.applying.stop());

  it('go in together, those that come meanwhile at their own time and not one by one', async () => {
    const { applying, taken, commit, done } = file;
    for (let n = 0; n < 3; n++) commit();
    clock.advance(200);
    await turn();
    expect(taken).toEqual([[1, 2, 3]]);
    for (let n = 0; n < 3; n++) commit();
    await done();
    commit();
    expect(taken).toHaveLength(1);
    clock.advance(200);
    await turn();
    expect(taken).toEqual([
      [1, 2, 3],
      [4, 5, 6, 7],
    ]);
    const flushed = applying.flush();
    commit();
    await done();
    // Who asks for all of them need not wait for the time.
    expect(taken[2]).toEqual([8]);
    await done();
    await flushed;
    expect(applying.bytes).toBe(0);
  });
});
