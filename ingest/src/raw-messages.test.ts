import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { RawMessages, type RawRing } from './raw-messages.ts';

/** By device, as ingest keeps the rings beside everything else it holds of a device. */
function rawByDevice() {
  const raw = new RawMessages();
  const rings = new Map<string, RawRing>();
  return {
    add: (device: string, topic: string, at: number, outcome: string, text: string) =>
      rings.set(
        device,
        raw.add(rings.get(device) ?? null, topic, at, 1, outcome, Buffer.from(text), 0, Buffer.byteLength(text)),
      ),
    of: (device: string) => raw.of(device, rings.get(device)),
  };
}

it('keeps the newest fifty of a device', () => {
  const raw = rawByDevice();
  for (let i = 0; i < 120; i++) raw.add('d', 'telemetry', i, 'accepted', `${i}`);
  expect(raw.of('d').map(({ payload }) => Number(payload))).toEqual(Array.from({ length: 50 }, (_, i) => 119 - i));
});

it('keeps no more than 8 KiB of a device, but always its last message', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 80 }), (lengths) => {
      const raw = rawByDevice();
      for (const length of lengths) raw.add('d', 'event', 0, 'accepted', 'x'.repeat(length));
      const kept = raw.of('d');
      expect(kept.length).toBeGreaterThan(0);
      expect(kept[0]!.payload.length).toBe(Math.min(2048, lengths.at(-1)!));
      expect(kept.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThanOrEqual(8 * 1024);
    }),
    { numRuns: 50 },
  );
});

it('shares 64 MiB among all devices', () => {
  const raw = rawByDevice();
  const devices = 20_000;
  for (let round = 0; round < 4; round++)
    for (let i = 0; i < devices; i++) raw.add(`d${i}`, 'telemetry', 0, 'accepted', 'x'.repeat(2000));
  let bytes = 0;
  for (let i = 0; i < devices; i++) for (const { payload } of raw.of(`d${i}`)) bytes += payload.length;
  expect(bytes).toBeLessThanOrEqual(64 * 1024 ** 2);
  expect(raw.of('d0')).toHaveLength(1);
});

it('makes room for one more device without touching all others', () => {
  const raw = rawByDevice();
  for (let round = 0; round < 40; round++)
    for (let i = 0; i < 20_000; i++) raw.add(`d${i}`, 'telemetry', 0, 'accepted', 'x'.repeat(100));
  const made = vi.spyOn(Buffer, 'allocUnsafeSlow');
  for (let i = 0; i < 100; i++) raw.add(`new${i}`, 'telemetry', 0, 'accepted', 'x'.repeat(100));
  expect(made.mock.calls.length).toBeLessThan(1000);
  made.mockRestore();
  for (let i = 0; i < 100; i++) expect(raw.of(`new${i}`)).toHaveLength(1);
  for (let i = 0; i < 20_000; i += 997) expect(raw.of(`d${i}`).length).toBeGreaterThan(10);
});

it('keeps long messages whole when a device has less room than one of them', () => {
  const raw = rawByDevice();
  const long = (i: number) => `${i}`.padEnd(2048, 'x');
  for (let round = 0; round < 2; round++)
    for (let i = 0; i < 40_000; i++) raw.add(`d${i}`, 'telemetry', 0, 'accepted', long(i));
  for (let i = 0; i < 40_000; i += 101) expect(raw.of(`d${i}`)[0]!.payload).toBe(long(i));
});

it('names the topic of a message that was refused for it', () => {
  const raw = rawByDevice();
  raw.add('d', 'other/topic', 0, 'foreign-topic', '');
  raw.add('d', 'command/reply', 0, 'accepted', '{}');
  expect(raw.of('d').map(({ topic }) => topic)).toEqual(['smartfire/v1/d/command/reply', 'other/topic']);
});
