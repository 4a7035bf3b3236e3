import fc from 'fast-check';
import { expect, test } from 'vitest';
import { letterOf, readingsBatch } from '../../testing/journal.contract.ts';
import { encodeMarks, encodeReadings, encodeRest } from './batch-codec.ts';
import { decodeRecord, encodeRecord } from './commit-record.ts';
import type { StoredCommit } from './journal-file.ts';

const commits: fc.Arbitrary<StoredCommit> = fc
  .record({
    count: fc.nat(50),
    event: fc.option(fc.string(), { nil: '' }),
    letters: fc.array(fc.string({ unit: 'binary' }), { maxLength: 3 }),
    marks: fc.array(fc.record({ device: fc.constantFrom('a', '乙', 'c'), hash: fc.bigInt(0n, 2n ** 64n - 1n) }), {
      maxLength: 5,
    }),
    firstNo: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER - 100 }),
  })
  .map(({ count, event, letters, marks, firstNo }) => {
    const { readings, entries, newSeries, ...batch } = readingsBatch(firstNo, count, event ? { event } : {});
    return {
      ...{ firstNo, count: batch.count, now: 1.7e12, newSeries },
      readings: readings.length === 0 ? null : encodeReadings(readings),
      rest: encodeRest(entries, newSeries),
      deadLetters: letters.map((payload) => letterOf('d', payload)),
      marks: marks.length === 0 ? null : encodeMarks(marks.map((mark) => ({ ...mark, receivedAt: 5 }))),
    };
  });

test('a record gives back the commit bit by bit, with its place in the chain', () => {
  fc.assert(
    fc.property(commits, fc.nat(), fc.nat(2 ** 32 - 1), (commit, seq, previous) => {
      const { bytes, length, crc } = encodeRecord(commit, seq, previous, null);
      expect(decodeRecord(bytes, 0)).toEqual({ logged: { commit, seq, bytes: length, crc }, previous });
    }),
  );
});

test('of what was not written to its end, or has changed, there is no record', () => {
  fc.assert(
    fc.property(commits, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (commit, cut, place, change) => {
      const { bytes, length } = encodeRecord(commit, 7, 8, null);
      const record = Buffer.from(bytes.subarray(0, length));
      expect(decodeRecord(record.subarray(0, cut % length), 0)).toBe(null);
      record[place % length]! ^= change;
      expect(decodeRecord(record, 0)).toBe(null);
    }),
  );
});
