import { expect, it } from 'vitest';
import { createChanges } from './changes.ts';

it('hands a burst on once, the latest value of each id winning', () => {
  const scheduled: (() => void)[] = [];
  const flushed: [string, number][][] = [];
  const changes = createChanges<number>(
    (callback) => scheduled.push(callback),
    (all) => flushed.push([...all]),
  );
  for (let i = 0; i < 1000; i++) changes.put(String(i % 3), i);
  expect(scheduled).toHaveLength(1);
  scheduled[0]!();
  expect(flushed).toEqual([
    [
      ['0', 999],
      ['1', 997],
      ['2', 998],
    ].sort((a, b) => Number(a[1]) - Number(b[1])),
  ]);
});

it('hands nothing on that a snapshot has replaced', () => {
  const scheduled: (() => void)[] = [];
  let flushed = 0;
  const changes = createChanges<number>(
    (callback) => scheduled.push(callback),
    () => flushed++,
  );
  changes.put('a', 1);
  changes.clear();
  scheduled[0]!();
  expect(flushed).toBe(0);
});
