import { eachInOrder, FireError, type JournalBatch, type JournalConsumer, type Refusal } from '@smart-fire/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startIngest, until } from './testing/harness.ts';

const io = new FireError('FIRE_JOURNAL_IO', { reason: 'test' });

/** What a consumer that takes everything once has seen, in order, and what of it is on disk. */
class Witness implements JournalConsumer {
  next: number;
  seen: { no: number; what: string }[] = [];
  durable: string[] = [];
  news: string[] = [];
  /** What was wrong; who tells it would swallow it. */
  faults: unknown[] = [];

  constructor(next: number) {
    this.next = next;
  }

  arrived(batch: JournalBatch): void {
    this.news.push('arrived');
    this.#take(batch, () => {});
  }

  committed(batch: JournalBatch): void {
    this.news.push('committed');
    this.#take(batch, (what) => this.durable.push(what));
  }

  refused({ no, batches, kept }: Refusal): void {
    this.news.push('refused');
    // All that was told and is not on disk is in the refused batches, as it was told.
    const refused: Witness['seen'] = [];
    for (const batch of batches) each(batch, (no, what) => refused.push({ no, what }));
    const told = this.seen.filter((one) => one.no >= no);
    this.#check(() => expect(refused.slice(0, told.length)).toEqual(told));
    const back = kept.map((number) => told.find((one) => one.no === number)!.what);
    this.#check(() => expect(back.filter((what) => what.startsWith('reading'))).toEqual([]));
    this.seen = this.seen.filter((one) => one.no < no);
    // What is kept comes again under the next numbers.
    for (const [index, what] of back.entries()) this.seen.push({ no: no + index, what });
    this.next = no + kept.length;
  }

  #take(batch: JournalBatch, durable: (what: string) => void): void {
    each(batch, (no, what) => {
      if (no >= this.next) {
        this.#check(() => expect(no).toBe(this.next++));
        this.seen.push({ no, what });
      } else this.#check(() => expect(this.seen.find((one) => one.no === no)?.what).toBe(what));
      durable(what);
    });
  }

  #check(check: () => void): void {
    try {
      check();
    } catch (fault) {
      this.faults.push(fault);
    }
  }
}

function each(batch: JournalBatch, call: (no: number, what: string) => void): void {
  eachInOrder(batch, {
    reading: ({ no, series, time, value }, row) =>
      call(no[row]!, `reading ${series[row]!} ${time[row]!} ${value[row]!}`),
    entry: ({ no, ...entry }) => call(no, JSON.stringify(entry)),
  });
}

async function start() {
  const ingest = await startIngest();
  await until(() => ingest.journal.batches.length === 1);
  const witness = new Witness((await ingest.journal.open()).nextNo);
  ingest.subscribe(witness);
  return { ...ingest, witness };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('what arrives', () => {
  it('is told in the turn that brought it, whatever the disk does, also of a series nobody has seen', async () => {
    const { journal, telemetry, event, witness } = await start();
    journal.hold();
    const answers = [telemetry({ values: { co: 1 } }), event({ event: 'fire' })];
    expect(witness.seen).toEqual([]);
    await turn();
    expect(witness.seen.map(({ what }) => what.slice(0, 9))).toEqual(['reading 0', '{"type":"']);
    answers.push(telemetry({ values: { temperature: 2 } }));
    await turn();
    expect(witness.news).toEqual(['arrived', 'arrived']);
    expect(witness.durable).toEqual([]);
    journal.release();
    expect(await Promise.all(answers)).toEqual([null, null, null]);
    expect(witness.news).toEqual(['arrived', 'arrived', 'committed', 'committed']);
    expect(witness.durable).toEqual(witness.seen.map(({ what }) => what));
  });

  it('is told no more while commits fail, and what had been told is told to be refused', async () => {
    const { journal, telemetry, clock, intake, witness } = await start();
    journal.failWith = io;
    expect(await telemetry({ values: { co: 1 } })).toBe(io);
    expect(witness.news).toEqual(['arrived', 'refused']);
    clock.advance(1000);
    await until(() => witness.news.length === 3);
    expect(witness.news).toEqual(['arrived', 'refused', 'refused']);
    journal.failWith = null;
    clock.advance(1000);
    await until(() => intake.accepting);
    expect(witness.news.at(-1)).toBe('committed');
    expect(await telemetry({ values: { co: 1 } })).toBe(null);
    // The series has the number that was told, though the commit that named it first was refused.
    expect(journal.series).toMatchObject([{ index: 0, device: 'd1', metric: 'co' }]);
  });
});

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('telemetry' as const), many: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('event' as const) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('hold', 'release', 'fail', 'fill', 'mend', 'second') }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('flood' as const) }) },
  ),
  { minLength: 5, maxLength: 60 },
);

it('is told once and in order, and what is committed is what was told, whatever the disk does', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (script) => {
      const { journal, clock, telemetry, event, witness, intake, entries, rows } = await start();
      const metrics = ['co', 'temperature', 'smoke_density', 'gas'];
      const answers: Promise<unknown>[] = [];
      let seq = 0;
      const perform = async (step: (typeof script)[number]) => {
        if (step.do === 'telemetry')
          for (let i = 0; i <= step.many; i++)
            answers.push(telemetry({ ts: clock.now() + seq, seq, values: { [metrics[seq++ % 4]!]: seq } }));
        else if (step.do === 'event') answers.push(event({ seq: seq++, event: 'fire' }));
        else if (step.do === 'flood') for (let i = 0; i < 500; i++) answers.push(event({ seq: seq++, event: 'test' }));
        else if (step.do === 'hold') journal.hold();
        else if (step.do === 'release') journal.release();
        else if (step.do === 'fail') journal.failWith = io;
        else if (step.do === 'fill') journal.full = true;
        else if (step.do === 'second') clock.advance(1000);
        else if (step.do === 'mend') Object.assign(journal, { failWith: null, full: false });
        else await turn();
      };
      for (const step of script) await perform(step);
      for (const last of ['mend', 'release'] as const) await perform({ do: last });
      await until(async () => {
        clock.advance(1000);
        await turn();
        return intake.accepting && witness.durable.length === witness.seen.length;
      });
      expect(witness.faults).toEqual([]);
      const settled = await Promise.all(answers);
      expect(witness.durable).toEqual(witness.seen.map(({ what }) => what));
      const acknowledged = settled.filter((error) => error === null).length;
      expect(rows().length + entries('event').length).toBe(acknowledged);
      // And again at once, when all is well.
      journal.hold();
      const before = witness.seen.length;
      for (let i = 0; i < 2; i++) {
        await perform({ do: 'event' });
        await turn();
        expect(witness.seen).toHaveLength(before + i + 1);
      }
    }),
    { numRuns: 100 },
  );
});
