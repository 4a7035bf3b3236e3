import { publishSize, writePublish } from '@smart-fire/simulators';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReadingPacket } from './reading-packet.ts';

it('a patched packet is byte for byte the one that would be written from its text', () => {
  fc.assert(
    fc.property(
      fc.record({
        device: fc.stringMatching(/^[A-Za-z0-9]{1,64}$/),
        id: fc.integer({ min: 1, max: 65_535 }),
        ts: fc.integer({ min: 1_600_000_000_000, max: 2_000_000_000_000 }),
        seq: fc.integer({ min: 0, max: 999_999_999 }),
        tenths: fc.integer({ min: 0, max: 99 }),
        offset: fc.integer({ min: 0, max: 50 }),
      }),
      ({ device, id, ts, seq, tenths, offset }) => {
        for (const [metric, pattern, value] of [
          ['co', '0.0', `${Math.floor(tenths / 10)}.${tenths % 10}`],
          ['battery', '00', String(tenths).padStart(2, '0')],
        ] as const) {
          const packet = new ReadingPacket(device, metric, pattern);
          const payload = `{"ts":${ts},"seq":${1_000_000_000 + seq},"values":{"${metric}":${value}}}`;
          const topic = Buffer.from(`smartfire/v1/${device}/telemetry`);
          const expected = Buffer.alloc(offset + publishSize(topic, payload));
          writePublish(expected, offset, topic, id, payload, false);
          const written = Buffer.alloc(offset + packet.size);
          packet.write(written, offset, id, ts, seq, tenths);
          // A packet written earlier in the same place leaves nothing behind.
          packet.write(written, offset, id, ts, seq, tenths);
          expect(written.equals(expected)).toBe(true);
        }
      },
    ),
    { numRuns: 200 },
  );
});
