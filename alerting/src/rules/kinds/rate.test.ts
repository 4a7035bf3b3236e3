import { seeded } from '@smart-fire/core/sensors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLEAR, RAISE } from './kind.ts';
import { type RateRule, rate } from './rate.ts';

const rule: RateRule = {
  ...{ id: 'rise', type: 'rate', class: 'early-warning', zh: '温升', en: 'Rise', source: { zh: '', en: '' } },
  ...{ metric: 'temperature', direction: 'rising', limit: 8.3, hysteresis: 4, windowMs: 60_000, forMs: 10_000 },
};
const SECOND = 1000;
const MINUTE = 60 * SECOND;
type Row = readonly [time: number, value: number];
const fresh = () => new Float64Array(rate.stateSize(rule)).fill(NaN);

/** What it said, and when (s). */
function watch(rows: readonly Row[], of = rule, state = fresh()): string[] {
  const said: string[] = [];
  for (const [time, value] of rows) {
    const outcome = rate.step(state, 0, of, { input: 0, source: 0, value, time, now: time, learn: true });
    if (outcome === RAISE) said.push(`raise ${time / SECOND}`);
    if (outcome === CLEAR) said.push(`clear ${time / SECOND}`);
  }
  return said;
}

/** A reading every `every` seconds for `seconds`. */
function rows(seconds: number, every: number, value: (at: number) => number): Row[] {
  return Array.from(
    { length: Math.floor(seconds / every) + 1 },
    (_, i) => [i * every * SECOND, value(i * every)] as const,
  );
}

/** Calm, then so many units a minute from 5 to 10 minutes, then calm. */
const ramp = (perMinute: number) => (at: number) => 20 + (perMinute / 60) * Math.min(300, Math.max(0, at - 300));

describe('rate', () => {
  it('raises when half of a window has risen as fast as the limit for its duration, and clears when it is slower by the hysteresis', () => {
    const [raised, cleared, ...more] = watch(rows(900, 5, ramp(12)));
    expect(more).toEqual([]);
    expect(Number(raised!.slice(6))).toBeGreaterThan(330);
    expect(Number(raised!.slice(6))).toBeLessThan(375);
    expect(Number(cleared!.slice(6))).toBeGreaterThan(600);
    expect(Number(cleared!.slice(6))).toBeLessThan(660);
    expect(watch(rows(900, 5, ramp(8)))).toEqual([]);
    expect(watch(rows(900, 5, ramp(-12)))).toEqual([]);
    expect(watch(rows(900, 5, ramp(-12)), { ...rule, direction: 'falling' })).toHaveLength(2);
  });

  it('is not moved by a glitch, a step, noise, or readings too sparse to tell', () => {
    const random = seeded(3);
    expect(watch(rows(3600, 5, (at) => (at === 600 || at === 1200 ? 900 : 20)))).toEqual([]);
    expect(watch(rows(3600, 5, (at) => (at < 1800 ? 20 : 24)))).toEqual([]);
    expect(watch(rows(3600, 5, () => 20 + 2 * random()))).toEqual([]);
    expect(watch(rows(7200, 60, ramp(100)))).toEqual([]);
    // Nor does it wait for it: the same rise with a glitch in it is told all the same.
    const [raised] = watch(rows(900, 5, (at) => (at === 335 ? -500 : ramp(12)(at))));
    expect(Number(raised!.slice(6))).toBeLessThan(380);
  });

  it('takes irregular readings, fast ones, and gaps', () => {
    const random = seeded(4);
    const every = rows(900, 1, ramp(12));
    expect(watch(every)).toHaveLength(2);
    expect(watch(every.filter(() => random() < 0.3))).toHaveLength(2);
    const gap = every.filter(([time]) => time < 200 * SECOND || time > 420 * SECOND);
    expect(watch(gap)).toHaveLength(2);
    // A jump over a gap is no rate.
    expect(
      watch([
        ...rows(300, 5, () => 20),
        ...rows(300, 5, () => 45).map(([time, value]) => [time + 30 * MINUTE, value] as const),
      ]),
    ).toEqual([]);
  });

  it('says how fast, over which window, against which limit, and shows the share of the limit', () => {
    const state = fresh();
    watch(rows(400, 5, ramp(12)), rule, state);
    expect(rate.score(state, 0, rule)).toBeCloseTo(12 / 8.3, 2);
    const { zh, en } = rate.explain(rule, rate.evidence(state, 0, rule, 0));
    expect(en).toMatch(/^Temperature rises by 12 °C a minute over the last 60 s \(limit 8.3 °C a minute\), now 4\d/);
    expect(zh).toContain('每分钟 12 °C');
  });

  const walk = fc.record({
    seed: fc.integer({ min: 1, max: 1e6 }),
    every: fc.constantFrom(1, 4, 11),
    perMinute: fc.constantFrom(0, 7, 9, 20, -20),
  });
  const rowsOf = ({ seed, every, perMinute }: { seed: number; every: number; perMinute: number }) => {
    const random = seeded(seed);
    return rows(900, every, (at) => Math.round(64 * (ramp(perMinute)(at) + 0.5 * random())) / 64);
  };

  it('says the same after a restart between any two readings, in any unit and from any zero', () => {
    fc.assert(
      fc.property(walk, fc.nat(900), fc.constantFrom(0.25, 8), fc.constantFrom(-64, 512), (which, at, scale, shift) => {
        const all = rowsOf(which);
        const expected = watch(all);
        const state = fresh();
        const before = watch(all.slice(0, at), rule, state);
        expect([...before, ...watch(all.slice(at), rule, Float64Array.from([...state]))]).toEqual(expected);
        const scaled = { ...rule, limit: rule.limit * scale, hysteresis: rule.hysteresis * scale };
        expect(
          watch(
            all.map(([time, value]) => [time, value * scale] as const),
            scaled,
          ),
        ).toEqual(expected);
        expect(watch(all.map(([time, value]) => [time, value + shift] as const))).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  it('refuses a hysteresis as large as the limit, and windows of nothing', () => {
    expect(rate.params.safeParse(rule).success).toBe(true);
    for (const wrong of [{ hysteresis: 8.3 }, { windowMs: 0 }, { limit: 0 }, { direction: 'up' }])
      expect(rate.params.safeParse({ ...rule, ...wrong }).success).toBe(false);
  });
});
