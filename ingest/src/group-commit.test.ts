import { FireError, type JournalBatch, type JournalConsumer } from '@smart-fire/core';
import { MemoryJournal } from '@smart-fire/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMIT_SLOW_MS } from './group-commit.ts';
import { rowsOf, startIngest, until } from './testing/harness.ts';

const DEAF: JournalConsumer = { arrived() {}, committed() {}, refused() {} };
const io = new FireError('FIRE_JOURNAL_IO', { reason: 'test' });

describe('when commits fail', () => {
  it('gives everybody who waits the error, takes no readings, and goes on after a probe has succeeded', async () => {
    const { journal, telemetry, intake, clock, rows, health, atTick } = await startIngest();
    await until(() => journal.batches.length === 1);
    expect(intake.accepting).toBe(true);
    journal.failWith = io;
    const answers = await Promise.all([
      telemetry({ seq: 1, values: { co: 1 } }),
      telemetry({ seq: 2, values: { co: 2 } }),
    ]);
    expect(answers).toEqual([io, io]);
    expect(intake.accepting).toBe(false);
    expect(health()[0]).toMatchObject({ part: 'journal', level: 'failed', since: clock.now() });
    expect(health()[0]!.sentence.en).toMatch(/^Telemetry and events are not acknowledged, events are shown/);
    const tried = journal.commits;
    expect(await atTick(telemetry({ seq: 3, values: { co: 3 } }))).toBe(io);
    await until(() => journal.commits === tried + 1);
    expect(intake.accepting).toBe(false);
    journal.failWith = null;
    clock.advance(1000);
    await until(() => intake.accepting);
    expect(health()[0]).toMatchObject({ level: 'ok' });
    // The device's redelivery: nothing that was refused counts as known.
    for (const seq of [1, 2, 3]) expect(await telemetry({ seq, values: { co: seq } }, { dup: true })).toBe(null);
    expect(rows().map(({ value }) => value)).toEqual([1, 2, 3]);
    expect(journal.series).toHaveLength(1);
  });

  it('forgets last values and marks of what was refused', async () => {
    const { journal, telemetry, event, clock, rows, entries, status } = await startIngest();
    const ts = clock.now();
    await telemetry({ ts, values: { temperature: 20 } });
    journal.failWith = io;
    await Promise.all([
      telemetry({ ts: ts + 10, values: { temperature: 90, co: 1 } }),
      event({ ts, event: 'fire' }),
      telemetry({ ts, point: 'new', values: { gas: 1 } }, { device: 'd2' }),
    ]);
    expect(status.status('d1').values).toMatchObject([{ value: 20 }]);
    journal.failWith = null;
    clock.advance(1000);
    await until(() => !journal.failWith && journal.batches.some((batch) => batch.entries.length > 0));
    await until(async () => (await telemetry({ ts: ts + 5, values: { temperature: 21 } })) === null);
    await event({ ts, event: 'fire' }, { dup: true });
    await telemetry({ ts: ts + 6, values: { gas: 3 } }, { device: 'd2' });
    expect(rows()).toMatchObject([
      { value: 20, flags: 0 },
      { value: 21, flags: 0 },
      { value: 3, flags: 0 },
    ]);
    expect(entries('event')).toHaveLength(1);
    // Series keep the index they were told under.
    expect(journal.series.map(({ index, device, point, metric }) => [index, device, point, metric])).toEqual([
      [0, 'd1', '', 'temperature'],
      [1, 'd1', '', 'co'],
      [2, 'd2', 'new', 'gas'],
      [3, 'd2', '', 'gas'],
    ]);
  });

  it('keeps the last thing it saw of each connection for the commit that succeeds', async () => {
    const { journal, intake, clock, entries, status } = await startIngest();
    await until(() => journal.batches.length === 1);
    journal.failWith = io;
    intake.presence('d1', true, 'connected');
    clock.advance(1000);
    await until(() => !intake.accepting);
    intake.presence('d1', false, 'keepalive');
    intake.presence('d2', true, 'connected');
    expect(status.status('d2').connected).toBe(true);
    clock.advance(1000);
    await new Promise((resolve) => setImmediate(resolve));
    journal.failWith = null;
    clock.advance(1000);
    await until(() => intake.accepting);
    clock.advance(1000);
    await until(() => entries('presence').length === 3);
    expect(entries('presence').map(({ device, online }) => [device, online])).toEqual([
      ['d1', true],
      ['d1', false],
      ['d2', true],
    ]);
  });
});

describe('when a commit takes too long', () => {
  it('answers those who wait with an error after 5 s, takes no readings until it is done, and keeps what it had', async () => {
    const { journal, telemetry, intake, clock, rows, health, atTick } = await startIngest();
    await until(() => journal.batches.length === 1);
    journal.hold();
    const inFlight = telemetry({ seq: 1, values: { co: 1 } });
    await until(() => journal.commits === 2);
    const gathering = telemetry({ seq: 2, values: { co: 2 } });
    clock.advance(COMMIT_SLOW_MS);
    expect(intake.accepting).toBe(true);
    clock.advance(1000);
    expect(intake.accepting).toBe(false);
    expect(health()[0]).toMatchObject({ level: 'failed' });
    expect(await inFlight).toMatchObject({ code: 'FIRE_JOURNAL_SLOW' });
    expect(await gathering).toMatchObject({ code: 'FIRE_JOURNAL_SLOW' });
    expect(await atTick(telemetry({ seq: 3, values: { co: 3 } }))).toMatchObject({ code: 'FIRE_JOURNAL_SLOW' });
    journal.release();
    await until(() => intake.accepting);
    // Nothing was promised, but nothing is doubled by the redelivery either.
    for (const seq of [1, 2, 3]) expect(await telemetry({ seq, values: { co: seq } }, { dup: true })).toBe(null);
    expect(rows().map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it('bounds what waits for the disk and says so to the publisher', async () => {
    const { journal, accept, intake, clock } = await startIngest();
    await until(() => journal.batches.length === 1);
    journal.hold();
    const body = Buffer.from(`{"values":{"co":1},"pad":"${'x'.repeat(250_000)}"}`);
    const answers = Array.from({ length: 200 }, (_, packetId) => accept({ body, packetId }));
    expect(intake.accepting).toBe(false);
    const event = accept({ channel: 'event', body: { event: 'fire' } });
    journal.release();
    clock.advance(1000);
    const refused = (await Promise.all(answers)).filter((error) => error !== null);
    expect(refused.length).toBeGreaterThan(40);
    expect(refused.length).toBeLessThan(100);
    expect(await event).toBe(null);
    expect(intake.accepting).toBe(true);
  });
});

describe('when the journal has room for events only', () => {
  it('refuses telemetry and keeps events, those of the refused commit included', async () => {
    const { journal, telemetry, event, intake, clock, rows, entries, health, atTick } = await startIngest();
    await until(() => journal.batches.length === 1);
    // The disk is full, long before the cap.
    journal.full = true;
    const answers = await Promise.all([
      telemetry({ seq: 1, values: { co: 1 } }),
      event({ seq: 2, event: 'fire' }),
      telemetry({ seq: 3, values: { co: 1 } }),
    ]);
    expect(answers.map((error) => (error as FireError | null)?.code ?? null)).toEqual([
      'FIRE_JOURNAL_FULL',
      null,
      'FIRE_JOURNAL_FULL',
    ]);
    expect(intake.accepting).toBe(false);
    expect(health()[0]!.sentence.en).toMatch(/^Telemetry is not acknowledged.*JOURNAL_MAX/);
    expect(await atTick(telemetry({ seq: 4, values: { co: 1 } }))).toMatchObject({ code: 'FIRE_JOURNAL_FULL' });
    expect(await event({ seq: 5, event: 'restored' })).toBe(null);
    expect(await event({ seq: 2, event: 'fire' }, { dup: true })).toBe(null);
    expect(entries('event').map((entry) => entry.event)).toEqual(['fire', 'restored']);
    // Devices that are refused come and go: of each the last is written when there is room again.
    for (const online of [true, false, true]) intake.presence('d1', online, 'test');
    clock.advance(1000);
    await until(() => entries('tick').at(-1)!.deaf === true);
    expect(intake.accepting).toBe(false);
    expect(entries('presence')).toEqual([]);
    journal.full = false;
    clock.advance(1000);
    await until(() => intake.accepting && entries('presence').length > 0);
    expect(entries('presence')).toMatchObject([{ device: 'd1', online: true }]);
    expect(entries('tick').at(-1)!.deaf).toBe(undefined);
    expect(await telemetry({ seq: 1, values: { co: 1 } }, { dup: true })).toBe(null);
    expect(rows()).toHaveLength(1);
  });
});

describe('subscribers', () => {
  it('get every committed batch once, in order, before its publishers are answered', async () => {
    const { telemetry, seen, subscribe } = await startIngest();
    const order: string[] = [];
    const committed = (batch: JournalBatch) => {
      if (batch.readings.length > 0) order.push('batch');
    };
    subscribe({ ...DEAF, committed });
    await telemetry({ values: { co: 1 } }).then(() => order.push('answer'));
    expect(order).toEqual(['batch', 'answer']);
    let next = 1;
    for (const batch of seen) {
      expect(batch.firstNo).toBe(next);
      next += batch.count;
    }
  });

  it('do not keep a batch from the others when one throws', async () => {
    const { telemetry, subscribe } = await startIngest();
    const fail = () => {
      throw new Error('mine');
    };
    subscribe({ arrived: fail, committed: fail, refused: fail });
    const got: JournalBatch[] = [];
    subscribe({ ...DEAF, committed: (batch) => got.push(batch) });
    expect(await telemetry({ values: { co: 1 } })).toBe(null);
    expect(got.flatMap(rowsOf)).toHaveLength(1);
  });
});

it('commits at a stop what has gathered behind the commit in flight, and answers for it', async () => {
  const { journal, telemetry, rows, stop } = await startIngest();
  await until(() => journal.batches.length === 1);
  journal.hold();
  const first = telemetry({ seq: 1, values: { co: 1 } });
  await until(() => journal.commits === 2);
  const second = telemetry({ seq: 2, values: { co: 2 } });
  const stopped = stop();
  journal.release();
  await stopped;
  expect(rows().map(({ value }) => value)).toEqual([1, 2]);
  expect(await Promise.all([first, second])).toEqual([null, null]);
});

it.each(['goes on', 'stops'])(
  'commits what lies behind a full group of which only repeats are kept, when it %s',
  async (how) => {
    const { journal, telemetry, event, clock, entries, stop } = await startIngest();
    await until(() => journal.batches.length === 1);
    await event({ seq: 1, event: 'test' });
    await telemetry({ ts: clock.now() - 1, values: { co: 9 } });
    journal.hold();
    const { commits } = journal;
    const inFlight = telemetry({ ts: clock.now(), values: { co: 0 } });
    await until(() => journal.commits === commits + 1);
    const repeat = event({ seq: 1, event: 'test' }, { dup: true });
    const many = Array.from({ length: 8000 }, (_, n) => telemetry({ ts: clock.now() + 1 + n, values: { co: n } }));
    const fire = event({ seq: 2, event: 'fire' });
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    const stopped = how === 'stops' ? stop() : null;
    journal.full = true;
    journal.release();
    expect(await Promise.all([repeat, fire])).toEqual([null, null]);
    expect(await inFlight).toMatchObject({ code: 'FIRE_JOURNAL_FULL' });
    await Promise.all([...many, stopped]);
    expect(entries('event').map(({ event: kind }) => kind)).toEqual(['test', 'fire']);
  },
);

it('commits a flood in pieces, so that nothing has to wait for all of it, and in order', async () => {
  const { event, telemetry, entries, rows, journal, clock, seen } = await startIngest();
  await until(() => journal.batches.length === 1);
  const answers: Promise<unknown>[] = [];
  for (let seq = 0; seq < 3000; seq++) answers.push(event({ seq, event: 'test' }));
  for (let i = 0; i < 20_000; i++) answers.push(telemetry({ ts: clock.now() + i, values: { co: i } }));
  expect(new Set(await Promise.all(answers))).toEqual(new Set([null]));
  expect(Math.max(...seen.map(({ count }) => count))).toBeLessThanOrEqual(8000);
  expect(Math.max(...seen.map(({ entries }) => entries.length))).toBeLessThanOrEqual(101);
  expect(entries('event')).toHaveLength(3000);
  expect(rows().map(({ value }) => value)).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
});

it('a flood that cannot be kept is answered with the error, all of it; no reading counts as known, and each event is kept once', async () => {
  const { journal, event, telemetry, intake, entries, rows, clock } = await startIngest();
  await until(() => journal.batches.length === 1);
  journal.failWith = io;
  const ts = clock.now();
  const answers = await Promise.all([
    ...Array.from({ length: 3000 }, (_, seq) => event({ seq, event: 'test' })),
    ...Array.from({ length: 20_000 }, (_, i) => telemetry({ ts: ts + i, values: { co: i } })),
  ]);
  expect(new Set(answers)).toEqual(new Set([io]));
  journal.failWith = null;
  clock.advance(1000);
  await until(() => intake.accepting);
  expect(await event({ seq: 1, event: 'test' })).toBe(null);
  expect(await telemetry({ ts: ts + 1, values: { co: 5 } })).toBe(null);
  expect(entries('event').map(({ time }) => time)).toHaveLength(3000);
  expect(rows()).toMatchObject([{ time: ts + 1, value: 5, flags: 0 }]);
});

describe('events while nothing can be committed', () => {
  it('are kept in groups of the usual size, each once, however long it takes', async () => {
    const { journal, event, intake, entries, clock, seen } = await startIngest();
    await until(() => journal.batches.length === 1);
    journal.failWith = io;
    const answers: Promise<unknown>[] = [];
    for (let second = 0; second < 10; second++) {
      for (let i = 0; i < 2000; i++) answers.push(event({ seq: second * 2000 + i, event: 'test' }));
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1000);
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set([io]));
    journal.failWith = null;
    clock.advance(1000);
    await until(() => intake.accepting && entries('event').length === 20_000);
    expect(Math.max(...seen.map(({ entries }) => entries.length))).toBeLessThanOrEqual(111);
    expect(await event({ seq: 19_999, event: 'test' })).toBe(null);
    expect(entries('event')).toHaveLength(20_000);
  });

  it('that are sent again and again take no more room, and when there is none left the publisher is told', async () => {
    const { journal, event, entries, clock, health, atTick, intake } = await startIngest();
    await until(() => journal.batches.length === 1);
    journal.failWith = io;
    const detail = 'x'.repeat(200);
    const waiting = () => health()[0]!.figures.waitingBytes!;
    await event({ seq: 1, event: 'fire', detail });
    const once = waiting();
    for (let i = 0; i < 100; i++) {
      const answers = Array.from({ length: 50 }, () => event({ seq: 1, event: 'fire', detail }, { dup: true }));
      expect(await atTick(answers[0]!)).toBe(io);
    }
    expect(waiting()).toBe(once);
    let seq = 2;
    for (; waiting() < 36 * 1024 ** 2; seq++) void event({ seq, event: 'test', detail });
    expect(health()[0]!.sentence.en).toMatch(/^Telemetry and events are refused, new events are not shown/);
    expect(await atTick(event({ seq, event: 'test', detail }))).toMatchObject({ code: 'FIRE_JOURNAL_SLOW' });
    journal.failWith = null;
    await until(() => {
      clock.advance(1000);
      return intake.accepting;
    });
    // Behind all of them.
    expect(await event({ seq, event: 'test', detail })).toBe(null);
    expect(entries('event')).toHaveLength(seq);
  });
});

it('loses nothing acknowledged and doubles nothing when it crashes between commit and answer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('answered', 'lost', 'fail'), { minLength: 1, maxLength: 12 }),
      async (fates) => {
        const journal = new MemoryJournal();
        let ingest = await startIngest({ journal });
        const { clock, registry, readings } = ingest;
        for (const [seq, fate] of fates.entries()) {
          const message = { ts: clock.now() + seq, seq, values: { temperature: seq } };
          const untimed = { seq, values: { co: seq } };
          if (fate === 'fail') journal.failWith = io;
          const answers = Promise.all([
            ingest.telemetry(message),
            ingest.telemetry(untimed),
            ingest.event({ seq, event: 'fire' }),
          ]);
          if (fate === 'answered') {
            expect(await answers).toEqual([null, null, null]);
            continue;
          }
          // The process ends here: the device got no answer and sends again, to the process that follows.
          await answers;
          journal.failWith = null;
          ingest = await startIngest({ journal, clock, registry, readings });
          expect(
            await Promise.all([
              ingest.telemetry(message, { dup: true }),
              ingest.telemetry(untimed, { dup: true }),
              ingest.event({ seq, event: 'fire' }, { dup: true }),
            ]),
          ).toEqual([null, null, null]);
        }
        const values = (metric: number) =>
          ingest.rows().filter(({ series }) => journal.series[series]!.metric === (metric ? 'co' : 'temperature'));
        for (const metric of [0, 1])
          expect(values(metric).map(({ value }) => value)).toEqual(fates.map((_, seq) => seq));
        expect(ingest.entries('event')).toHaveLength(fates.length);
      },
    ),
    { numRuns: 30 },
  );
});
