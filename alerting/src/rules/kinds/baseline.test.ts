import { PRESETS, seeded } from '@smart-fire/core/sensors';
import { simulateRecording } from '@smart-fire/core/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BaselineRule, baseline } from './baseline.ts';
import { CLEAR, RAISE } from './kind.ts';

const preset = PRESETS.find(({ id }) => id === 'preset:baseline')!.definition as BaselineRule;
const rule: BaselineRule = { ...preset, metric: 'temperature', warmUp: 500 };
const MINUTE = 60_000;
const DAY = 86_400_000;
const START = Date.UTC(2026, 0, 5);
const fresh = () => new Float64Array(baseline.stateSize(rule)).fill(NaN);

/** Rows at which it was raised (negative: cleared). */
function watch(
  points: Iterable<readonly [time: number, value: number]>,
  state = fresh(),
  of = rule,
  learn = true,
): number[] {
  const seen: number[] = [];
  let row = 0;
  for (const [time, value] of points) {
    const outcome = baseline.step(state, 0, of, { input: 0, source: 0, value, time, now: time, learn });
    if (outcome === RAISE) seen.push(row);
    if (outcome === CLEAR) seen.push(-row);
    expect(Number.isFinite(baseline.score(state, 0, of))).toBe(true);
    row++;
  }
  return seen;
}

/** A day's rhythm and some noise, a row every five minutes. */
function* rhythm(
  days: number,
  change: (value: number, row: number) => number = (value) => value,
  from = START,
  seed = 1,
) {
  const random = seeded(seed);
  for (let row = 0; row < days * 288; row++) {
    const value = 22 + 3 * Math.sin((2 * Math.PI * row) / 288) + random() + random() - 1;
    yield [from + row * 5 * MINUTE, change(value, row)] as const;
  }
}

describe('baseline', () => {
  it('stays quiet over two months of a daily rhythm, and says within minutes when the level leaves it', () => {
    expect(watch(rhythm(60))).toEqual([]);
    const [first, second] = watch(rhythm(60, (value, row) => (row < 12_000 ? value : value + 6)));
    expect(first).toBeGreaterThanOrEqual(12_000);
    expect(first).toBeLessThan(12_006);
    expect(second).toBeLessThan(0);
  });

  it('knows the hour: what is usual at noon is told at night', () => {
    const state = fresh();
    watch(rhythm(30), state);
    const [band] = baseline.learned!(state, 0, rule)!;
    expect(band!.input).toBe(0);
    expect(band!.low).toBeLessThan(band!.centre);
    expect(band!.high).toBeGreaterThan(band!.centre);
    // Until 06:00, from the middle of the rhythm to its top.
    const later = state.slice();
    watch(rhythm(0.25, undefined, START + 30 * DAY, 2), later);
    const [noon] = baseline.learned!(later, 0, rule)!;
    expect(noon!.centre - band!.centre).toBeGreaterThan(2);
  });

  it('tells a thing once: what lasts is no news, what gets much worse is', () => {
    const raised = watch(rhythm(50, (value, row) => value + (row < 10_000 ? 0 : row < 10_100 ? 6 : 30))).filter(
      (row) => row > 0,
    );
    expect(raised.length).toBeLessThanOrEqual(6);
    expect(raised.some((row) => row >= 10_100 && row < 10_106)).toBe(true);
    expect(raised.every((row) => row < 10_400)).toBe(true);
  });

  it('takes no glitch of one row for a departure, however large', () => {
    const glitches = new Set([6000, 6500, 7000, 9001, 12_000]);
    expect(watch(rhythm(60, (value, row) => (glitches.has(row) ? value + 500 : value)))).toEqual([]);
  });

  it('sees a sensor that has stuck and noise that has swollen, and says so', () => {
    const said = (change: (value: number, row: number) => number) => {
      const state = fresh();
      let text = '';
      for (const [time, value] of rhythm(50, change))
        if (baseline.step(state, 0, rule, { input: 0, source: 0, value, time, now: time, learn: true }) === RAISE)
          text ||= baseline.explain(rule, baseline.evidence(state, 0, rule, time)).en;
      return text;
    };
    const random = seeded(5);
    expect(said((value, row) => (row < 10_000 ? value : value + 8 * (random() - 0.5)))).toMatch(
      /fluctuates [\d.]+ times as much|above|below/,
    );
    expect(said((value, row) => (row < 10_000 ? value : 22))).toMatch(
      /fluctuates only 1\/[\d.]+ of what it did|above|below/,
    );
    expect(said((value, row) => (row < 10_000 ? value : value - 8))).toMatch(
      /^Temperature [\d.]+ °C: [\d.]+ °C below the [\d.]+ °C expected from the last .* habit/,
    );
  });

  it('is not troubled by a constant warm-up, by a sensor that moves by its smallest step, nor by absurd values', () => {
    const constant = (after: (row: number) => number) =>
      watch(Array.from({ length: 3000 }, (_, row) => [START + row * MINUTE, row < 2000 ? 5 : after(row)] as const));
    expect(constant(() => 5)).toEqual([]);
    expect(constant((row) => (row % 7 < 3 ? 5.1 : 5))).toEqual([]);
    expect(constant((row) => (row < 2500 ? (row % 7 < 3 ? 5.1 : 5) : 50))[0]).toBeGreaterThanOrEqual(2500);
    for (const absurd of [1e300, -1e300, 5e-324, Number.MAX_VALUE])
      watch(Array.from({ length: 2000 }, (_, row) => [START + row, row % 3 === 0 ? absurd : 1] as const));
  });

  it('raises no storm where its first days went one way only', () => {
    const random = seeded(7);
    const values = Array.from(
      { length: 6000 },
      (_, row) => (row < 1500 ? row * 1e-6 : 3e-3 - row * 1e-6) + 2e-6 * random(),
    );
    const raised = watch(values.map((value, row) => [START + row * MINUTE, value] as const)).filter((row) => row > 0);
    expect(raised.length).toBeLessThanOrEqual(2);
  });

  it('judges but learns nothing while learning is off, by the rule or by the moment', () => {
    const state = fresh();
    watch(rhythm(30), state);
    for (const [of, learn] of [
      [rule, false],
      [{ ...rule, learn: false }, true],
    ] as const) {
      const frozen = state.slice();
      const raised = watch(
        rhythm(20, (value) => value + 8, START + 30 * DAY),
        frozen,
        of,
        learn,
      );
      expect(raised[0]).toBeLessThan(6);
      const learning = state.slice();
      watch(
        rhythm(20, (value) => value + 8, START + 30 * DAY),
        learning,
      );
      // All but what follows the values of now, and what was told.
      const changed = frozen.findIndex((value, i) => i > 27 && !Object.is(value, state[i]));
      expect(changed).toBe(-1);
      expect(learning.slice(28)).not.toEqual(state.slice(28));
    }
  });

  it('is still learning before its warm-up is over, and says so', () => {
    const state = fresh();
    expect(
      watch(
        rhythm(1, (value, row) => value * (row % 50 === 0 ? 1 : 1 + row / 10)),
        state,
      ),
    ).toEqual([]);
    expect(baseline.learned!(state, 0, rule)).toBeNull();
  });

  it('does not take a gap, or another pace of the readings, for a departure', () => {
    const all = [...rhythm(60)];
    const gap = all.filter((_, row) => (row < 8000 || row > 8700) && row % 997 > 40);
    expect(watch(gap)).toEqual([]);
    const slower = all.filter((_, row) => row < 8000 || row % 3 === 0);
    expect(watch(slower)).toEqual([]);
  });

  const recording = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    wild: fc.constantFrom(0, 1, 3),
    daily: fc.constantFrom(0, 2),
    irregular: fc.boolean(),
  });
  const pointsOf = ({ seed, ...habits }: { seed: number; wild: number; daily: number; irregular: boolean }) => {
    const { times, values } = simulateRecording(
      seed,
      { ...habits, rows: 2500, gaps: 3, glitches: 3, excursions: 3, quantum: 1 / 16, level: 64 },
      ['shutdown', 'shift'],
    );
    return times.map((time, i) => [time, values[i]!] as const);
  };

  it('says the same after a restart between any two rows', () => {
    fc.assert(
      fc.property(recording, fc.integer({ min: 0, max: 2499 }), (which, at) => {
        const points = pointsOf(which);
        const state = fresh();
        const before = watch(points.slice(0, at), state);
        const saved = Float64Array.from([...state]);
        const after = watch(points.slice(at), saved);
        const offset = (row: number) => (row === 0 ? at : row > 0 ? row + at : row - at);
        expect([...before, ...after.map(offset)]).toEqual(watch(points));
      }),
      { numRuns: 15 },
    );
  });

  it('says the same in any unit and from any zero', () => {
    fc.assert(
      fc.property(recording, fc.constantFrom(2 ** -6, 2 ** 9), fc.constantFrom(-512, 1024), (which, scale, shift) => {
        const points = pointsOf(which);
        const scaled = points.map(([time, value]) => [time, value * scale] as const);
        expect(watch(scaled)).toEqual(watch(points));
        const raised = (rows: number[]) => rows.filter((row) => row > 0).length;
        const shifted = points.map(([time, value]) => [time, value + shift] as const);
        expect(Math.abs(raised(watch(shifted)) - raised(watch(points)))).toBeLessThanOrEqual(1);
      }),
      { numRuns: 15 },
    );
  });
});
