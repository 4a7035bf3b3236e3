import { PRESETS, seeded } from '@smart-fire/core/sensors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLEAR, type Outcome, RAISE } from './kind.ts';
import { type MultivariateRule, multivariate } from './multivariate.ts';

const preset = PRESETS.find(({ id }) => id === 'preset:multivariate-health')!.definition as MultivariateRule;
const rule: MultivariateRule = { ...preset, metrics: ['current', 'voltage', 'flow'], warmUp: 400 };
const START = Date.UTC(2026, 0, 5);
const SECOND = 1000;

type Row = readonly (number | null)[];
type Watched = { row: number; outcome: Outcome }[];

const fresh = (of = rule) => new Float64Array(multivariate.stateSize(of)).fill(NaN);

/** Gives rows of one message each, as the engine does: a row that was not complete is woken before the next. */
function watch(
  rows: Iterable<Row>,
  state = fresh(),
  of = rule,
  from = 0,
  learn: (row: number) => boolean = () => true,
  pace = SECOND,
) {
  const seen: Watched = [];
  let row = from;
  for (const values of rows) {
    const time = START + row * pace;
    const note = (outcome: Outcome) => {
      if (outcome === RAISE || outcome === CLEAR) seen.push({ row, outcome });
    };
    values.forEach((value, input) => {
      if (value === null) return;
      note(multivariate.step(state, 0, of, { input, source: 0, value, time, now: time, learn: learn(row) }));
    });
    if (multivariate.wakeAt(state, 0, of) <= time + 1) note(multivariate.wake(state, 0, of, time + 1, -1));
    expect(Number.isFinite(multivariate.score(state, 0, of))).toBe(true);
    row++;
  }
  return seen;
}

/** A pump: current with a slow swing, voltage with noise, flow in whole litres; `disturb` changes a row. */
function pump(rows: number, disturb: (row: number, values: number[]) => void = () => undefined, seed = 1): number[][] {
  const random = seeded(seed);
  const noise = () => random() + random() + random() - 1.5;
  return Array.from({ length: rows }, (_, row) => {
    const values = [10 + Math.sin(row / 13) + 0.4 * noise(), 230 + 4 * noise(), Math.round(32 + noise())];
    disturb(row, values);
    return values;
  });
}

const blocked = (row: number, values: number[]) => {
  if (row >= 700 && row < 1000) values[2]! -= 2;
};
const raises = (seen: Watched) => seen.filter(({ outcome }) => outcome === RAISE).map(({ row }) => row);
const clears = (seen: Watched) => seen.filter(({ outcome }) => outcome === CLEAR).map(({ row }) => row);

describe('multivariate', () => {
  it('stays quiet on what it has learned, sees a blocked pump within seconds and its recovery within a minute', () => {
    expect(watch(pump(6000))).toEqual([]);
    const seen = watch(pump(1500, blocked));
    expect(raises(seen)).toHaveLength(1);
    expect(raises(seen)[0]).toBeGreaterThanOrEqual(700);
    expect(raises(seen)[0]).toBeLessThan(710);
    expect(clears(seen)[0]).toBeGreaterThanOrEqual(1000);
    expect(clears(seen)[0]).toBeLessThan(1060);
  });

  it('raises nothing while it learns', () => {
    expect(watch(pump(399, (row, values) => (values[0]! += row > 200 ? 20 : 0)))).toEqual([]);
    expect(multivariate.learned!(fresh(), 0, rule)).toBeNull();
  });

  it('is normal again where a machine settles a little elsewhere, not where it recovers only in part', () => {
    const settles = (left: number) =>
      clears(watch(pump(1300, (row, values) => (values[2]! -= row < 700 ? 0 : row < 1000 ? 4 : left))));
    expect(settles(0.2)).toHaveLength(1);
    expect(settles(2)).toEqual([]);
  });

  it('takes for the new normal what does not come back', () => {
    const seen = watch(pump(3000, (row, values) => (values[2]! -= row < 700 ? 0 : 2)));
    expect(seen.map(({ outcome }) => outcome)).toEqual([RAISE, CLEAR]);
    expect(clears(seen)[0]).toBeGreaterThan(700 + 600);
  });

  it('says nothing of a slow drift and nothing of one wild value', () => {
    expect(watch(pump(2000, (row, values) => (values[1]! += row / 2000)))).toEqual([]);
    expect(watch(pump(2000, (row, values) => (values[1]! = row === 900 ? 1e6 : values[1]!)))).toEqual([]);
  });

  it('is calm soon after a disturbance of any size, and takes the way back for no departure', () => {
    for (const size of [2, 20, 2000]) {
      let left = 0;
      const seen = watch(
        pump(2000, (row, values) => {
          left += ((row >= 700 && row < 1000 ? size : 0) - left) / 10;
          values[2]! -= left;
        }),
      );
      expect(seen.map(({ outcome }) => outcome)).toEqual([RAISE, CLEAR]);
      expect(clears(seen)[0]).toBeLessThan(1060);
    }
  });

  it('says nothing of what the machine has come back from by itself, and a little more', () => {
    const swell = (heights: number[]) =>
      pump(1000 + 400 * heights.length, (row, values) => {
        const at = row - 700;
        if (at >= 0 && at % 400 < 60) values[0]! += heights[Math.floor(at / 400)] ?? 0;
      });
    expect(raises(watch(swell([0, 0, 0, 3.5])))).toHaveLength(1);
    expect(raises(watch(swell([2.4, 2.4, 2.4, 3.5])))).toEqual([]);
  });

  it('says nothing of a change that its instruments cannot be trusted with', () => {
    const rows = pump(1500, (row, values) => {
      values[1] = 230 + (values[1]! - 230) / 40 + (row < 700 ? 0 : 1.5);
    });
    expect(raises(watch(rows))).toEqual([]);
    expect(raises(watch(rows, fresh(), { ...rule, accuracy: 0 }))).toHaveLength(1);
  });

  it('is calm after the same time, not after as many rows, where rows are further apart', () => {
    const after = (pace: number) => {
      const every = pace / SECOND;
      const rows = pump(1500, blocked).filter((_, row) => row % every === 0);
      const seen = watch(rows, fresh(), { ...rule, warmUp: 400 / every }, 0, () => true, pace);
      return (clears(seen)[0]! - 1000 / every) * every;
    };
    expect(after(2 * SECOND)).toBeLessThan(1.25 * after(SECOND));
  });

  it('sees a step in a metric that has a wide rhythm and is far from its limits', () => {
    const long: MultivariateRule = { ...rule, metrics: ['current'], warmUp: 8000 };
    const rows = (rises: number) => {
      const random = seeded(5);
      return Array.from({ length: 13_000 }, (_, row) => [
        100 + 30 * Math.sin((2 * Math.PI * row) / 4000) + random() + (row < rises ? 0 : 20),
      ]);
    };
    expect(watch(rows(Infinity), fresh(long), long)).toEqual([]);
    const trough = 11_000;
    const [first] = raises(watch(rows(trough), fresh(long), long));
    expect(first).toBeGreaterThanOrEqual(trough);
    expect(first).toBeLessThan(trough + 30);
  });

  it('makes no alarm and no NaN of metrics that never move, whatever they do later', () => {
    const still = Array.from({ length: 900 }, (_, row) => [5, 230, row < 700 ? 0 : 3]);
    const state = fresh();
    expect(watch(still, state)).toEqual([]);
    expect(multivariate.learned!(state, 0, rule)).toBeNull();
    const stuck = pump(1500, blocked).map(([current, _, flow]) => [current!, 230, flow!]);
    expect(raises(watch(stuck))).toHaveLength(1);
  });

  it('names the metrics that left, their values and what is normal', () => {
    const state = fresh();
    watch(pump(720, blocked), state);
    const evidence = multivariate.evidence(state, 0, rule, 0);
    expect(evidence.metric1).toBe(2);
    expect(evidence.windowMs).toBeGreaterThanOrEqual(60_000);
    expect(evidence.value1).toBeLessThan(evidence.low1!);
    expect(multivariate.score(state, 0, rule)).toBeGreaterThan(1);
    const { zh, en } = multivariate.explain(rule, evidence);
    expect(en).toMatch(/^Has left its learned normal state: Flow 3\d(\.\d+)? .*\(normal 3/);
    expect(zh).toMatch(/^偏离学得的正常状态:流量/);
    const bands = multivariate.learned!(state, 0, rule)!;
    expect(bands.map(({ input }) => input)).toEqual([0, 1, 2]);
    for (const { centre, low, high } of bands) expect(low < centre && centre < high).toBe(true);
  });

  it('works with metrics that are missing in a row and with metrics that come at other times than their fellows', () => {
    const gaps = pump(1500, blocked).map((values, row) =>
      values.map((value, metric) => ((row * 7 + metric * 3) % 10 === 0 ? null : value)),
    );
    expect(raises(watch(gaps))).toHaveLength(1);
    const apart = pump(1500, blocked).flatMap(([current, voltage, flow]) => [
      [current!, null, null],
      [null, voltage!, null],
      [null, null, flow!],
    ]);
    const seen = watch(apart);
    expect(raises(seen)).toHaveLength(1);
    expect(raises(seen)[0]).toBeGreaterThanOrEqual(3 * 700);
    expect(raises(seen)[0]).toBeLessThan(3 * 710);
  });

  it('judges a row that lacks a metric without waiting for the next', () => {
    const state = fresh();
    watch(pump(600), state);
    const time = START + 600 * SECOND;
    multivariate.step(state, 0, rule, { input: 0, source: 0, value: 10, time, now: time, learn: true });
    expect(multivariate.wakeAt(state, 0, rule)).toBe(time + 1);
    multivariate.wake(state, 0, rule, time + 1, -1);
    expect(multivariate.wakeAt(state, 0, rule)).toBe(Infinity);
  });

  it('learns nothing while it must not: the band stays, and it goes on judging', () => {
    const state = fresh();
    watch(pump(600), state);
    const before = multivariate.learned!(state, 0, rule)!.map(({ high, low }) => (high - low).toPrecision(9));
    const frozen = { ...rule, learn: false };
    const odd = pump(1100, (row, values) => {
      values[1]! += 0.5;
      if (row >= 1000) values[2]! -= 2;
    });
    expect(raises(watch(odd.slice(600), state, frozen, 600))[0]).toBeGreaterThanOrEqual(1000);
    expect(multivariate.learned!(state, 0, rule)!.map(({ high, low }) => (high - low).toPrecision(9))).toEqual(before);
    expect(watch(pump(900), fresh(), rule, 0, () => false)).toEqual([]);
  });

  it('goes on after a restart at any row as if nothing had happened', () => {
    const rows = pump(1300, blocked);
    const whole = watch(rows);
    const end = fresh();
    watch(rows, end);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1299 }), (cut) => {
        const first = fresh();
        const before = watch(rows.slice(0, cut), first);
        const second = new Float64Array(first);
        expect([...before, ...watch(rows.slice(cut), second, rule, cut)]).toEqual(whole);
        expect(second).toEqual(end);
      }),
      { numRuns: 12 },
    );
  });

  it('does not care for units: scaled and mirrored metrics give the same alarms', () => {
    const rows = pump(1400, blocked);
    const whole = watch(rows);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.boolean()), { minLength: 3, maxLength: 3 }),
        (scales) => {
          // Powers of two are exact, so that the same alarms are the very same rows.
          const scaled = rows.map((values) =>
            values.map((value, metric) => value * 2 ** scales[metric]![0] * (scales[metric]![1] ? -1 : 1)),
          );
          expect(watch(scaled)).toEqual(whole);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('keeps to its own numbers and makes no NaN of any finite values', () => {
    const size = multivariate.stateSize(rule);
    const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }), fc.constant(0));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), value, fc.nat(2)), { minLength: 200, maxLength: 300 }), (steps) => {
        const small = { ...rule, warmUp: 40 };
        const state = new Float64Array(size + 20).fill(NaN);
        state.fill(7, 0, 10).fill(7, size + 10);
        let time = START;
        for (const [input, given, wait] of steps) {
          time += wait;
          multivariate.step(state, 10, small, { input, source: 0, value: given, time, now: time, learn: true });
          expect(Number.isFinite(multivariate.score(state, 10, small))).toBe(true);
        }
        for (const band of multivariate.learned!(state, 10, small) ?? [])
          for (const number of Object.values(band)) expect(Number.isFinite(number)).toBe(true);
        expect([...state.subarray(0, 10), ...state.subarray(size + 10)].every((number) => number === 7)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('has numbers of state for eight metrics within its bound', () => {
    const eight = { ...rule, metrics: Array.from({ length: 8 }, (_, metric) => `metric ${metric}`) };
    expect(multivariate.stateSize(eight)).toBeLessThan(300);
  });
});
