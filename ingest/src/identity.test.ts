import { FLAG } from '@smart-fire/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fromBigint, hash64, toBigint } from './identity.ts';
import { startIngest } from './testing/harness.ts';

const MINUTE = 60_000;

it('tells series apart by device, point and metric', async () => {
  const { clock, telemetry, journal } = await startIngest();
  const ts = clock.now();
  await telemetry({ ts, values: { temperature: 1, co: 2 } });
  await telemetry({ ts, point: 'p', values: { temperature: 3 } });
  await telemetry({ ts, values: { temperature: 4 } }, { device: 'd2' });
  expect(journal.series).toEqual([
    { index: 0, device: 'd1', point: '', metric: 'temperature' },
    { index: 1, device: 'd1', point: '', metric: 'co' },
    { index: 2, device: 'd1', point: 'p', metric: 'temperature' },
    { index: 3, device: 'd2', point: '', metric: 'temperature' },
  ]);
});

it('drops the same reading sent again, in one array too, and counts it', async () => {
  const { clock, telemetry, rows, journal, metric } = await startIngest();
  const item = { ts: clock.now(), values: { temperature: 20 } };
  await telemetry(item);
  await telemetry(item, { dup: true });
  await telemetry([item, item]);
  expect(rows()).toHaveLength(1);
  expect(journal.letters).toEqual([]);
  expect(await metric('smartfire_duplicates_total')).toBe(3);
});

it('refuses another value at the same ms as SAME_TIME and keeps what is good beside it', async () => {
  const { clock, telemetry, rows, journal } = await startIngest();
  const ts = clock.now();
  await telemetry({ ts, values: { temperature: 20 } });
  await telemetry({ ts, values: { temperature: 21, co: 5 } });
  expect(rows().map(({ value }) => value)).toEqual([20, 5]);
  expect(journal.letters).toMatchObject([{ code: 'SAME_TIME', problems: [{ path: 'values.temperature' }] }]);
});

it('leaves an older repeat to the readings store, which drops the same and refuses another value', async () => {
  const { clock, telemetry, readings, journal, stop } = await startIngest();
  const ts = clock.now() - 1000;
  await telemetry({ ts, values: { temperature: 20 } });
  await telemetry({ ts: ts + 1, values: { temperature: 21 } });
  await telemetry({ ts, values: { temperature: 20 } });
  await telemetry({ ts, values: { temperature: 99 } });
  await stop();
  expect(readings.count()).toBe(2);
  expect(journal.letters).toMatchObject([{ code: 'SAME_TIME', device: 'd1' }]);
});

it('takes the receive time without ts, made unique per series by 1 ms', async () => {
  const { clock, telemetry, rows } = await startIngest();
  const now = clock.now();
  for (const seq of [1, 2, 3]) await telemetry({ seq, values: { temperature: 20, co: 1 } });
  expect(rows().map(({ time }) => time - now)).toEqual([0, 0, 1, 1, 2, 2]);
  expect(rows().every(({ flags }) => flags === FLAG.untimed)).toBe(true);
});

it('makes receive times unique for a device with a wrong clock too, and knows its repeats', async () => {
  const { clock, telemetry, rows } = await startIngest();
  const now = clock.now();
  await telemetry({ ts: 1000, values: { temperature: 20 } });
  await telemetry({ ts: 2000, values: { temperature: 21 } });
  clock.advance(50);
  await telemetry({ ts: 2000, values: { temperature: 21 } }, { dup: true });
  expect(rows().map(({ time }) => time - now)).toEqual([0, 1]);
});

it('knows a message again that was too early when it came and is not any more', async () => {
  const { clock, telemetry, rows } = await startIngest();
  const message = { ts: clock.now() + 5 * MINUTE + 500, values: { temperature: 20 } };
  await telemetry(message);
  clock.advance(1000);
  await telemetry(message, { dup: true });
  expect(rows()).toHaveLength(1);
});

it('finds repeats without ts by seq and payload', async () => {
  const { telemetry, event, rows, entries, clock } = await startIngest();
  await telemetry({ seq: 7, values: { temperature: 20 } });
  await event({ seq: 8, event: 'fire' });
  clock.advance(9 * MINUTE);
  await telemetry({ seq: 7, values: { temperature: 20 } }, { packetId: 99 });
  await event({ seq: 8, event: 'fire' }, { packetId: 98 });
  expect(rows()).toHaveLength(1);
  expect(entries('event')).toHaveLength(1);
  await telemetry({ seq: 7, values: { temperature: 21 } });
  expect(rows()).toHaveLength(2);
});

it('knows a repeat among the last 256 messages after hours, and among thousands within 10 minutes', async () => {
  const { telemetry, rows, clock } = await startIngest();
  await telemetry({ seq: 0, values: { temperature: 1 } });
  clock.advance(5 * 3_600_000);
  for (let seq = 1; seq < 256; seq++) await telemetry({ seq, values: { temperature: 1 } });
  await telemetry({ seq: 0, values: { temperature: 1 } });
  expect(rows()).toHaveLength(256);
  for (let seq = 256; seq < 2000; seq++) await telemetry({ seq, values: { temperature: 1 } });
  await telemetry({ seq: 1, values: { temperature: 1 } });
  expect(rows()).toHaveLength(2000);
  // Neither among the last 256 nor within 10 minutes: a device that counts from the start again is heard.
  await telemetry({ seq: 0, values: { temperature: 1 } });
  expect(rows()).toHaveLength(2001);
});

it('finds repeats with neither by DUP, packet id and payload, and nothing less', async () => {
  const { telemetry, event, rows, entries } = await startIngest();
  const message = { values: { temperature: 20 } };
  await telemetry(message, { packetId: 5 });
  await telemetry(message, { packetId: 5, dup: true });
  expect(rows()).toHaveLength(1);
  await telemetry(message, { packetId: 5 });
  await telemetry(message, { packetId: 6, dup: true });
  await telemetry({ values: { temperature: 21 } }, { packetId: 5, dup: true });
  await telemetry(message, { packetId: 0, qos: 0 });
  await telemetry(message, { packetId: 0, qos: 0 });
  expect(rows()).toHaveLength(6);
  await event({ event: 'fire' }, { packetId: 9 });
  await event({ event: 'fire' }, { packetId: 9, dup: true });
  expect(entries('event')).toHaveLength(1);
});

it('knows repeats again after a restart', async () => {
  const first = await startIngest();
  const { clock, journal, readings, registry } = first;
  await first.telemetry({ seq: 1, values: { temperature: 20 } });
  await first.telemetry({ ts: clock.now() + 1, values: { temperature: 21 } });
  await first.event({ event: 'fire' }, { packetId: 3 });
  await first.stop();
  const second = await startIngest({ clock, journal, readings, registry });
  await second.telemetry({ seq: 1, values: { temperature: 20 } });
  await second.telemetry({ ts: clock.now() + 1, values: { temperature: 21 } });
  await second.event({ event: 'fire' }, { packetId: 3, dup: true });
  expect(second.rows()).toHaveLength(2);
  expect(second.entries('event')).toHaveLength(1);
});

it('never orders by seq, nor tells readings apart by it', async () => {
  const { clock, telemetry, rows } = await startIngest();
  const ts = clock.now();
  await telemetry({ ts, seq: 9, values: { temperature: 20 } });
  await telemetry({ ts, seq: 10, values: { temperature: 20 } });
  await telemetry({ ts: ts + 1, seq: 1, values: { temperature: 21 } });
  expect(rows()).toMatchObject([
    { time: ts, flags: 0 },
    { time: ts + 1, flags: 0 },
  ]);
});

/** Amid other bytes, which must not matter. */
function hashOf(text: string, salt: number) {
  const bytes = Buffer.from(`<${text}>`);
  return hash64(bytes, 1, bytes.length - 1, salt);
}

it('hashes no two of a hundred thousand like messages alike, and every bit of the hash is used', () => {
  const hashes = Array.from({ length: 100_000 }, (_, seq) =>
    toBigint(hashOf(`{"seq":${seq},"values":{"temperature":21.5}}`, 1)),
  );
  expect(new Set(hashes).size).toBe(hashes.length);
  expect(new Set(hashes.map((hash) => hash & 0xffffffffn)).size).toBeGreaterThan(99_990);
  expect(new Set(hashes.map((hash) => hash >> 32n)).size).toBeGreaterThan(99_990);
  for (let bit = 0n; bit < 64n; bit++) {
    const ones = hashes.filter((hash) => (hash >> bit) & 1n).length;
    expect(Math.abs(ones - 50_000)).toBeLessThan(1500);
  }
});

it('hashes by text and salt alone', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 0, max: 2 ** 21 }), (text, salt) => {
      const hash = hashOf(text, salt);
      expect(hashOf(text, salt)).toEqual(hash);
      expect(fromBigint(toBigint(hash))).toEqual(hash);
      expect(hashOf(`${text}x`, salt)).not.toEqual(hash);
      expect(hashOf(text, salt + 1)).not.toEqual(hash);
    }),
    { numRuns: 500 },
  );
});
