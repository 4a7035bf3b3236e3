import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MARKS_KEPT, MARKS_KEPT_MS, Marks } from './dedupe.ts';

const hash = (n: number) => ({ high: 7, low: n });

it('forgets a mark only when it is neither among the last 256 nor within 10 minutes', () => {
  fc.assert(
    fc.property(
      // Bursts of marks with pauses: from a few a day to thousands in ten minutes, the indexed look-up included.
      fc.array(
        fc.record({
          count: fc.integer({ min: 1, max: 1500 }),
          pauseMs: fc.integer({ min: 0, max: 2 * MARKS_KEPT_MS }),
        }),
        { maxLength: 8 },
      ),
      (bursts) => {
        const marks = new Marks();
        const at: number[] = [];
        let now = 0;
        for (const { count, pauseMs } of bursts) {
          now += pauseMs;
          for (let i = 0; i < count; i++) {
            marks.add(hash(at.length + 1), now);
            at.push(now);
          }
        }
        const known = at.map((_, n) => marks.has(hash(n + 1)));
        at.forEach((when, n) => {
          if (n >= at.length - MARKS_KEPT || when >= now - MARKS_KEPT_MS) expect(known[n]).toBe(true);
        });
        // Memory follows what must be kept.
        const needed = at.filter((when, n) => n >= at.length - MARKS_KEPT || when >= now - MARKS_KEPT_MS).length;
        expect(marks.size).toBeLessThanOrEqual(needed + 1);
        expect(marks.has(hash(at.length + 1))).toBe(false);
      },
    ),
    { numRuns: 60 },
  );
});

it('keeps the newer of two equal marks', () => {
  const marks = new Marks();
  marks.add(hash(1), 0);
  for (let n = 2; n < 3000; n++) marks.add(hash(n), 1000);
  marks.add(hash(1), 2000);
  marks.add(hash(3000), MARKS_KEPT_MS + 500);
  expect(marks.has(hash(1))).toBe(true);
});

it('takes back a mark, few or many', () => {
  for (const count of [3, 3000]) {
    const marks = new Marks();
    for (let n = 1; n <= count; n++) marks.add(hash(n), 0);
    marks.remove(hash(2));
    marks.remove(hash(count + 1));
    expect([1, 2, 3].map((n) => marks.has(hash(n)))).toEqual([true, false, true]);
  }
});
