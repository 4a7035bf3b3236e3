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

  it('is told to be refused when its commit fails; events are told and kept all the same until one succeeds', async () => {
    const { journal, telemetry, event, clock, intake, witness, entries, atTick } = await start();
    journal.failWith = io;
    expect(await Promise.all([telemetry({ values: { co: 1 } }), event({ seq: 1, event: 'fire' })])).toEqual([io, io]);
    expect(witness.news).toEqual(['arrived', 'refused']);
    const told = () => witness.seen.filter(({ what }) => what.includes('"event"')).map(({ what }) => JSON.parse(what));
    expect(told()).toMatchObject([{ event: 'fire' }]);
    const answer = event({ seq: 2, event: 'fault' }, { device: 'd2' });
    await turn();
    expect(told()).toMatchObject([{ event: 'fire' }, { event: 'fault' }]);
    expect(await atTick(answer)).toBe(io);
    // A device that was not answered sends again.
    expect(await atTick(event({ seq: 1, event: 'fire' }, { dup: true }))).toBe(io);
    journal.failWith = null;
    clock.advance(1000);
    await until(() => intake.accepting);
    expect(witness.news.at(-1)).toBe('committed');
    expect(await event({ seq: 1, event: 'fire' }, { dup: true })).toBe(null);
    expect(entries('event')).toMatchObject([{ event: 'fire' }, { event: 'fault' }]);
    expect(told()).toHaveLength(2);
    expect(await telemetry({ values: { co: 1 } })).toBe(null);
    // The series has the number that was told, though the commit that named it first was refused.
    expect(journal.series).toMatchObject([{ index: 0, device: 'd1', metric: 'co' }]);
  });
});

describe('an event', () => {
  it('is told within a turn of the loop when the disk has been hanging for long, behind readings that fill many groups', async () => {
    const { journal, telemetry, event, clock, intake, witness, entries, atTick } = await start();
    journal.hold();
    const readings: Promise<unknown>[] = [];
    for (let i = 0; i < 30_000; i++) readings.push(telemetry({ ts: clock.now() + i, values: { co: i } }));
    for (let i = 0; i < 5; i++) await turn();
    expect(witness.seen).toHaveLength(30_000);
    clock.advance(6000);
    expect(new Set((await Promise.all(readings)).map((error) => (error as FireError).code))).toEqual(
      new Set(['FIRE_JOURNAL_SLOW']),
    );
    expect(intake.accepting).toBe(false);
    const answer = event({ event: 'fire' });
    await turn();
    expect(JSON.parse(witness.seen.at(-1)!.what)).toMatchObject({ event: 'fire' });
    expect(await atTick(answer)).toMatchObject({ code: 'FIRE_JOURNAL_SLOW' });
    journal.release();
    await until(() => entries('event').length === 1);
    expect(witness.faults).toEqual([]);
  });
});

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('telemetry' as const), many: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('event' as const, 'repeat' as const) }) },
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
      let events = 0;
      let last: { seq: number; event: string } | null = null;
      let seq = 0;
      const send = (word: string) => {
        events++;
        last = { seq: seq++, event: word };
        void event(last);
      };
      const perform = async (step: (typeof script)[number]) => {
        if (step.do === 'telemetry')
          for (let i = 0; i <= step.many; i++)
            answers.push(telemetry({ ts: clock.now() + seq, seq, values: { [metrics[seq++ % 4]!]: seq } }));
        else if (step.do === 'event') send('fire');
        else if (step.do === 'repeat') {
          if (last) void event(last, { dup: true });
        } else if (step.do === 'flood') for (let i = 0; i < 500; i++) send('test');
        else if (step.do === 'hold') journal.hold();
        else if (step.do === 'release') journal.release();
        else if (step.do === 'fail') journal.failWith = io;
        else if (step.do === 'fill') journal.full = true;
        else if (step.do === 'second') clock.advance(1000);
        else if (step.do === 'mend') Object.assign(journal, { failWith: null, full: false });
        else await turn();
      };
      for (const step of script) await perform(step);
      // One group a turn.
      for (let i = 0; i < 10 + events / 100; i++) await turn();
      const told = witness.seen.filter(({ what }) => what.includes('"type":"event"'));
      expect(told).toHaveLength(events);
      for (const end of ['mend', 'release'] as const) await perform({ do: end });
      await until(async () => {
        clock.advance(1000);
        await turn();
        return intake.accepting && witness.durable.length === witness.seen.length;
      });
      expect(witness.faults).toEqual([]);
      const settled = await Promise.all(answers);
      expect(witness.durable).toEqual(witness.seen.map(({ what }) => what));
      expect(rows()).toHaveLength(settled.filter((error) => error === null).length);
      expect(entries('event')).toHaveLength(events);
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
