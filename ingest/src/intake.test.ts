import { FLAG } from '@smart-fire/core';
import { MemoryJournal } from '@smart-fire/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SERIES_PER_DEVICE_MAX } from './devices.ts';
import { registryOf, startIngest, until } from './testing/harness.ts';

it('answers only when the journal has committed, in call order', async () => {
  const { journal, telemetry, event } = await startIngest();
  await until(() => journal.batches.length === 1);
  journal.hold();
  const order: string[] = [];
  const answers = [
    telemetry({ seq: 1, values: { co: 1 } }).then(() => order.push('first')),
    event({ event: 'fault' }).then(() => order.push('second')),
    telemetry('garbage').then(() => order.push('third')),
  ];
  await until(() => journal.commits === 2);
  answers.push(telemetry({ seq: 2, values: { co: 1 } }).then(() => order.push('fourth')));
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([]);
  journal.release();
  await Promise.all(answers);
  expect(order).toEqual(['first', 'second', 'third', 'fourth']);
  // What one turn of the event loop brought went together, what came during the commit after it.
  expect(journal.commits).toBe(3);
});

it('answers a repeat of something in flight only when that is committed, and with its error when it is not', async () => {
  const { journal, telemetry, rows } = await startIngest();
  await until(() => journal.batches.length === 1);
  journal.hold();
  const message = { seq: 1, values: { co: 1 } };
  let answered = 0;
  const first = telemetry(message).finally(() => answered++);
  await until(() => journal.commits === 2);
  const second = telemetry(message, { dup: true }).finally(() => answered++);
  await new Promise((resolve) => setImmediate(resolve));
  expect(answered).toBe(0);
  journal.failWith = new Error('disk');
  journal.release();
  expect(await first).toMatchObject({ message: 'disk' });
  expect(await second).toMatchObject({ message: 'disk' });
  expect(rows()).toEqual([]);
});

it('puts everything bad of a message into one dead letter of the same commit, and keeps the rest', async () => {
  const { journal, telemetry, rows, clock, metric } = await startIngest();
  await until(() => journal.batches.length === 1);
  const ts = clock.now();
  const body = [
    { ts, values: { temperature: 20, humidity: 5 } },
    { ts: ts + 1, values: { temperature: 'hot', co: 3 } },
    { values: { co: 4 } },
    'x',
  ];
  await telemetry(body);
  expect(journal.commits).toBe(2);
  expect(rows().map(({ value }) => value)).toEqual([20, 3]);
  expect(journal.letters).toMatchObject([
    {
      device: 'd1',
      topic: 'smartfire/v1/d1/telemetry',
      receivedAt: ts,
      code: 'UNKNOWN_METRIC',
      problems: [
        { code: 'UNKNOWN_METRIC', index: 0, path: '[0].values.humidity' },
        { code: 'NOT_A_NUMBER', index: 1, path: '[1].values.temperature' },
        { code: 'TS_REQUIRED', index: 2, path: '[2].ts' },
        { code: 'SHAPE', index: 3, path: '[3]' },
      ],
      payload: JSON.stringify(body),
      encoding: 'utf8',
    },
  ]);
  expect(await metric('smartfire_dead_letters_total')).toBe(1);
});

it('keeps a dead letter’s payload readable: cut at 2 KiB between characters, base64 when it is no UTF-8', async () => {
  const { journal, telemetry } = await startIngest();
  await telemetry(`"${'火'.repeat(2000)}"`);
  await telemetry(Buffer.from([0xff, 0xfe]));
  const [long, binary] = journal.letters;
  expect(Buffer.byteLength(long!.payload)).toBeLessThanOrEqual(2048);
  expect(long!.payload).toBe(`"${'火'.repeat(682)}`);
  expect(binary).toMatchObject({ code: 'NOT_UTF8', payload: '//4=', encoding: 'base64' });
});

it('flags what the sensor cannot measure and what cannot be, and keeps it: 900 °C is a fire', async () => {
  const { telemetry, rows, event } = await startIngest();
  await telemetry({ seq: 1, values: { temperature: 20 } });
  await telemetry({ seq: 2, values: { temperature: 900 } });
  await telemetry({ seq: 3, values: { temperature: 1e300, level: -5 } });
  await event({ event: 'fire' });
  const flags = rows().map((row) => row.flags & ~FLAG.untimed);
  expect(flags[0]).toBe(0);
  expect(flags[1]! & FLAG.range).toBe(FLAG.range);
  expect(flags[2]).toBe(FLAG.range | FLAG.implausible);
  // A metric its kind does not name has no range.
  expect(flags[3]).toBe(0);
});

it('refuses more points than a device may have and keeps those it has', async () => {
  const { telemetry, journal, rows, clock } = await startIngest();
  const ts = clock.now();
  for (let from = 0; from < SERIES_PER_DEVICE_MAX; from += 1000)
    await telemetry(Array.from({ length: 1000 }, (_, i) => ({ ts, point: `p${from + i}`, values: { co: 1 } })));
  await telemetry({ ts, point: 'one more', values: { co: 1 } });
  await telemetry({ ts: ts + 1, point: 'p0', values: { co: 1 } });
  expect(rows()).toHaveLength(SERIES_PER_DEVICE_MAX + 1);
  expect(journal.letters).toMatchObject([{ code: 'BAD_POINT' }]);
});

it('writes down what the broker saw and what the device claims', async () => {
  const { intake, accept, entries, status } = await startIngest();
  intake.presence('d1', true, 'connected');
  await accept({ channel: 'state', body: { online: true, rssi: -70 } });
  await accept({ channel: 'state', body: '' });
  await accept({ channel: 'command/reply', body: '{"id":1}' });
  expect(entries('presence')).toMatchObject([{ device: 'd1', online: true, reason: 'connected' }]);
  expect(entries('state')).toMatchObject([{ device: 'd1', online: true }]);
  expect(status.status('d1')).toMatchObject({ connected: true, claimsOnline: true, lastSeenAt: null });
});

it('keeps a message refused at the door once a minute, and counts every one', async () => {
  const { intake, journal, clock, telemetry, status, metric } = await startIngest();
  for (let i = 0; i < 5; i++) intake.refuse('d1', 'smartfire/v1/d2/telemetry', 'foreign-topic');
  intake.refuse('d1', 'smartfire/v1/d1/telemetry', 'oversize');
  intake.refuse(null, 'x', 'foreign-topic');
  await telemetry({ values: {} });
  expect(journal.letters.map(({ code }) => code)).toEqual(['UNKNOWN_TOPIC', 'TOO_LARGE']);
  clock.advance(60_000);
  intake.refuse('d1', 'smartfire/v1/d2/telemetry', 'foreign-topic');
  await until(() => journal.letters.length === 3);
  expect(await metric('smartfire_refused_total')).toBe(8);
  expect(status.raw('d1').filter(({ topic }) => topic === 'smartfire/v1/d2/telemetry')).toHaveLength(6);
});

it('shows the last messages as they came, with what became of them', async () => {
  const { telemetry, event, status, clock } = await startIngest();
  await telemetry({ seq: 1, values: { co: 1 } });
  await telemetry({ seq: 1, values: { co: 1 } }, { dup: true });
  await telemetry({ values: { co: 'x' } });
  await event({ event: 'fire' }, { qos: 2 });
  expect(status.raw('d1').map(({ outcome }) => outcome)).toEqual(['accepted', 'NOT_A_NUMBER', 'duplicate', 'accepted']);
  expect(status.raw('d1')[0]).toEqual({
    receivedAt: clock.now(),
    topic: 'smartfire/v1/d1/event',
    payload: '{"event":"fire"}',
    encoding: 'utf8',
    qos: 2,
    outcome: 'accepted',
  });
});

it('ticks every second while it listens', async () => {
  const { clock, entries } = await startIngest();
  await clock.advanceInSteps(5000, 1000);
  await until(() => entries('tick').length === 6);
  const [first, ...rest] = entries('tick').map(({ receivedAt }) => receivedAt);
  expect(rest.map((at) => at - first!)).toEqual([1000, 2000, 3000, 4000, 5000]);
});

it('leaves no timer behind when it stops', async () => {
  const { clock, stop, telemetry, status } = await startIngest();
  status.onChange(() => {});
  await telemetry({ values: { co: 1 } });
  await stop();
  expect(clock.timers).toBe(0);
  expect(await telemetry({ values: { co: 1 } })).toMatchObject({ code: 'FIRE_JOURNAL_IO' });
});

describe('whatever comes', () => {
  const good = fc.record({
    offset: fc.integer({ min: -1000, max: 1000 }),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  });
  const bad = fc.oneof(
    fc.constantFrom<unknown>({ values: 1 }, { values: { temperature: 'x', smoke: 1 } }, 'text', 'garbage', [[]], {
      ts: 1.5,
      values: { co: 1 },
    }),
    fc.jsonValue(),
    fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  );

  it('loses no good value and throws at no garbage', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            good.map((one) => ({ good: one })),
            bad.map((one) => ({ bad: one })),
          ),
          { maxLength: 40 },
        ),
        async (messages) => {
          const { telemetry, event, rows, clock, stop, readings } = await startIngest();
          const now = clock.now();
          const kept = new Map<number, number>();
          const answers = messages.map((message) => {
            if ('bad' in message) return [telemetry(message.bad, { qos: 0 }), event(message.bad)];
            const { offset, value } = message.good;
            if (!kept.has(offset)) kept.set(offset, value);
            return [telemetry({ ts: now + offset, values: { temperature: value } })];
          });
          expect((await Promise.all(answers.flat())).every((error) => error === null)).toBe(true);
          const series = rows().filter(({ flags }) => (flags & (FLAG.untimed | FLAG.clock)) === 0);
          const first = new Map<number, number>();
          for (const { time, value } of series) if (!first.has(time - now)) first.set(time - now, value);
          expect([...kept].every(([offset, value]) => first.get(offset) === value)).toBe(true);
          await stop();
          expect(readings.count()).toBeGreaterThanOrEqual(kept.size);
        },
      ),
      { numRuns: 100 },
    );
  });
});

it('replays a recorded day of 300,000 readings in seconds', { timeout: 30_000 }, async () => {
  const journal = new MemoryJournal();
  const devices = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`day-${i}`, {}]));
  const first = await startIngest({ journal, registry: registryOf(devices, 0) });
  const start = first.clock.now();
  const interval = (86_400_000 * 200) / 300_000;
  for (let time = start; time < start + 86_400_000; time += interval) {
    first.clock.jump(time);
    const bytes = Buffer.from(`{"ts":${time},"values":{"temperature":${20 + (time % 7)}}}`);
    for (const device of Object.keys(devices))
      first.intake.accept(
        {
          device,
          memo: null,
          channel: 'telemetry',
          topic: '',
          bytes,
          from: 0,
          to: bytes.length,
          qos: 1,
          dup: false,
          packetId: 1,
          receivedAt: time,
        },
        { settled() {} },
      );
    await new Promise((resolve) => setImmediate(resolve));
  }
  await first.stop();
  const began = performance.now();
  const second = await startIngest({ journal, clock: first.clock, registry: first.registry, readings: first.readings });
  expect(performance.now() - began).toBeLessThan(5000);
  expect(second.status.status('day-0')).toEqual(first.status.status('day-0'));
  await until(() => first.readings.count() === 300_000);
  await second.stop();
});
