import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BatchBuilder, batchFrom, eachInOrder } from './journal-batch.ts';
import type { JournalBatch } from './ports/journal.ts';

const numbers = (batch: JournalBatch) => {
  const seen: number[] = [];
  eachInOrder(batch, {
    reading: (columns, row) => seen.push(columns.no[row]!),
    entry: (entry) => seen.push(entry.no),
  });
  return seen;
};

test('readings and entries are numbered densely in the order they came, and any tail of a batch can be had', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { maxLength: 700 }),
      fc.integer({ min: 1, max: 1e12 }),
      fc.nat(800),
      (kinds, firstNo, skip) => {
        const builder = new BatchBuilder(firstNo);
        for (const [index, isReading] of kinds.entries()) {
          if (isReading) builder.addReading(index, index, index, index / 3, 0);
          else builder.addEntry({ type: 'tick', receivedAt: index });
        }
        const batch = builder.build();
        const expected = kinds.map((_, index) => firstNo + index);
        expect(numbers(batch)).toEqual(expected);
        expect([...batch.readings.value.subarray(0, batch.readings.length)]).toEqual(
          kinds.flatMap((isReading, index) => (isReading ? [index / 3] : [])),
        );
        const tail = batchFrom(batch, firstNo + skip);
        expect(numbers(tail)).toEqual(expected.slice(skip));
        expect(tail.count).toBe(Math.max(0, kinds.length - skip));
      },
    ),
    { numRuns: 50 },
  );
});

test('a batch is not touched by what comes later, and numbers go on behind it', () => {
  const builder = new BatchBuilder(10);
  builder.addSeries({ index: 0, device: 'a', point: '', metric: 'co' });
  builder.addReading(0, 1, 2, 3, 4);
  const first = builder.build();
  builder.clear();
  builder.addReading(7, 7, 7, 7, 7);
  expect(first).toMatchObject({ firstNo: 10, count: 1, newSeries: [{ device: 'a' }] });
  expect(first.readings.value[0]).toBe(3);
  expect(builder.build()).toMatchObject({ firstNo: 11, count: 1, newSeries: [] });
  builder.clear(5);
  expect(builder.build()).toMatchObject({ firstNo: 5, count: 0 });
});
