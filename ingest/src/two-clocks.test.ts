import { FLAG } from '@smart-fire/core';
import { expect, it } from 'vitest';
import { startIngest, until } from './testing/harness.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

it('keeps the time of arrival as ours and the device’s time as it sent it', async () => {
  const { clock, telemetry, event, rows, entries } = await startIngest();
  const now = clock.now();
  await telemetry({ ts: now - 5000, values: { temperature: 20 } });
  await event({ ts: now - 7000, event: 'fault' });
  expect(rows()).toMatchObject([{ time: now - 5000, receivedAt: now, flags: 0 }]);
  expect(entries('event')).toMatchObject([{ time: now - 7000, deviceTime: now - 7000, receivedAt: now, flags: 0 }]);
});

it.each([
  ['30 days ago', -30 * DAY],
  ['5 minutes ahead', 5 * MINUTE],
])('believes a device time %s', async (_, offset) => {
  const { clock, telemetry, rows } = await startIngest();
  await telemetry({ ts: clock.now() + offset, values: { temperature: 20 } });
  expect(rows()).toMatchObject([{ time: clock.now() + offset, flags: 0 }]);
});

it.each([
  ['1 ms more than 30 days ago', (now: number) => now - 30 * DAY - 1],
  ['1 ms more than 5 minutes ahead', (now: number) => now + 5 * MINUTE + 1],
  ['in 1970', () => 0],
  ['before 1970', () => -1],
  ['in 2099', () => Date.UTC(2099, 0, 1)],
  ['at the largest integer', () => Number.MAX_SAFE_INTEGER],
])('takes the receive time, flagged, for a device time %s', async (_, ts) => {
  const { clock, telemetry, event, rows, entries } = await startIngest();
  const now = clock.now();
  await telemetry({ ts: ts(now), values: { temperature: 20 } });
  await event({ ts: ts(now), event: 'fault' });
  expect(rows()).toMatchObject([{ time: now, flags: FLAG.clock }]);
  expect(entries('event')).toMatchObject([{ time: now, deviceTime: ts(now), flags: FLAG.clock }]);
});

it('guesses no skew: every reading is judged by itself', async () => {
  const { clock, telemetry, rows } = await startIngest();
  const now = clock.now();
  await telemetry({ ts: now + 6 * MINUTE, values: { temperature: 20 } });
  await telemetry({ ts: now + 4 * MINUTE, values: { temperature: 21 } });
  expect(rows().map(({ time }) => time)).toEqual([now, now + 4 * MINUTE]);
});

it('flags a reading that is not newer than its series’ last one as late: history only', async () => {
  const { clock, telemetry, rows, status } = await startIngest();
  const now = clock.now();
  await telemetry({ ts: now, values: { temperature: 20 } });
  await telemetry({ ts: now - 1, values: { temperature: 90 } });
  await telemetry({ ts: now + 1, values: { temperature: 21 } });
  expect(rows().map(({ flags }) => flags)).toEqual([0, FLAG.late, 0]);
  expect(status.status('d1').values).toMatchObject([{ value: 21, time: now + 1 }]);
});

it('takes what a device declares on arrival, whatever its time', async () => {
  const { clock, event, entries } = await startIngest();
  await event({ ts: clock.now(), event: 'fault' });
  await event({ ts: 0, event: 'fire' });
  await event({ ts: clock.now() - DAY, event: 'fire' });
  await event({ ts: 'yesterday', event: 'fire' });
  expect(entries('event').map((entry) => [entry.event, entry.deviceTime])).toEqual([
    ['fault', clock.now()],
    ['fire', 0],
    ['fire', clock.now() - DAY],
    ['fire', null],
  ]);
});

it('judges absence by the receive time: old data sent now is news', async () => {
  const { clock, telemetry, status } = await startIngest();
  await telemetry({ ts: clock.now() - 29 * DAY, values: { temperature: 20 } });
  expect(status.status('d1')).toMatchObject({ lastSeenAt: clock.now(), unknownSince: null });
});

it('counts only time in which we listened as silence', async () => {
  const first = await startIngest();
  const { clock, journal, readings, registry } = first;
  const heardAt = clock.now();
  await first.telemetry({ values: { temperature: 20 } });
  await first.stop();
  // Ten days of our own downtime say nothing about the device.
  clock.jump(clock.now() + 10 * DAY);
  const { status, stop } = await startIngest({ clock, journal, readings, registry });
  expect(status.status('d1')).toMatchObject({ lastSeenAt: heardAt, unknownSince: null });
  await stop();
});

it('does not take a step of our own clock for silence', async () => {
  const { clock, telemetry, status, entries } = await startIngest();
  await telemetry({ values: { temperature: 20 } });
  clock.jump(clock.now() + 10 * DAY);
  clock.advance(1000);
  await until(() => entries('tick').length > 1);
  expect(status.status('d1').unknownSince).toBe(null);
});

it('gives, replayed, what it gave live: now is the record’s receive time', async () => {
  const first = await startIngest();
  const { clock, journal, readings, registry } = first;
  await first.telemetry({ ts: clock.now() - 10, values: { temperature: 20, battery: 90 } });
  await clock.advanceInSteps(5000, 1000);
  await first.telemetry({ ts: clock.now() - 20_000, values: { temperature: 50 } });
  await first.telemetry({ seq: 1, values: { temperature: 22 } });
  await first.accept({ channel: 'state', body: { online: true } });
  const before = first.status.status('d1');
  await first.stop();
  clock.jump(clock.now() + DAY);
  const second = await startIngest({ clock, journal, readings, registry });
  expect(second.status.status('d1')).toEqual(before);
  await second.stop();
});
