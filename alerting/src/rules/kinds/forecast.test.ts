import { chinaHour, getSensorKind, seeded } from '@smart-fire/core/sensors';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ForecastRule, forecast } from './forecast.ts';
import { CLEAR, RAISE } from './kind.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const leakage: ForecastRule = {
  ...{ id: 'creep', type: 'forecast', class: 'early-warning', zh: '漏电', en: 'Leakage', source: { zh: '', en: '' } },
  ...{
    metric: 'residual_current',
    direction: 'above',
    limit: 300,
    withinMs: 7 * DAY,
    windowMs: 7 * DAY,
    confidence: 0.9,
  },
};
const tank: ForecastRule = {
  ...leakage,
  ...{ metric: 'level', direction: 'below', limit: 1.5, withinMs: 2 * HOUR, windowMs: 2 * HOUR },
};
type Row = readonly [time: number, value: number];
const fresh = (rule: ForecastRule) => new Float64Array(forecast.stateSize(rule)).fill(NaN);

interface Said {
  at: number;
  what: string;
  en: string;
}

function watch(rule: ForecastRule, rows: readonly Row[], state = fresh(rule)): Said[] {
  const said: Said[] = [];
  for (const [time, value] of rows) {
    const outcome = forecast.step(state, 0, rule, { input: 0, source: 0, value, time, now: time, learn: true });
    if (outcome !== RAISE && outcome !== CLEAR) continue;
    const { en } = forecast.explain(rule, forecast.evidence(state, 0, rule, time));
    said.push({ at: time, what: outcome === RAISE ? 'raise' : 'clear', en });
  }
  return said;
}

function rows(ms: number, every: number, value: (at: number) => number): Row[] {
  return Array.from({ length: Math.floor(ms / every) }, (_, i) => [i * every, value(i * every)] as const);
}

/** Leakage of a feeder with its daily rhythm and noise. */
function feeder(seed: number): (at: number) => number {
  const random = seeded(seed);
  return (at) => 110 + 30 * Math.sin((2 * Math.PI * at) / DAY) + 20 * (random() - 0.5);
}

describe('forecast', () => {
  it('tells days ahead when a creeping leakage will reach its limit, and when not', () => {
    const normal = feeder(1);
    const said = watch(
      leakage,
      rows(30 * DAY, HOUR / 4, (at) => normal(at) + Math.max(0, at - 10 * DAY) * (12 / DAY)),
    );
    expect(said.map(({ what }) => what)).toEqual(['raise']);
    // It is there on day 10 + 190 / 12 = 25.8 (its daily mean).
    const ahead = 25.8 * DAY - said[0]!.at;
    expect(ahead).toBeGreaterThan(4 * DAY);
    expect(ahead).toBeLessThan(7.5 * DAY);
    expect(said[0]!.en).toMatch(
      /^Residual current now about 2\d\d(\.\d)? mA: expected to reach 300 mA in about [\d.]+ days \(between [\d.]+ days and [\d.]+ days\) by its trend over the last 7 days$/,
    );
    expect(
      watch(
        leakage,
        rows(30 * DAY, HOUR / 4, (at) => normal(at) + Math.max(0, at - 10 * DAY) * (1 / DAY)),
      ),
    ).toEqual([]);
  });

  it('tells an hour or more ahead that a tank runs low, and withdraws it when the tank is filled again', () => {
    const random = seeded(2);
    const level = (at: number) => {
      const hours = at / HOUR;
      const drained = 2.5 - 0.25 * Math.max(0, Math.min(3, hours - 12));
      return Math.min(2.5, drained + Math.max(0, hours - 15)) + 0.004 * random();
    };
    const said = watch(tank, rows(24 * HOUR, 10 * 60_000, level));
    expect(said.map(({ what }) => what)).toEqual(['raise', 'clear']);
    expect(said[0]!.at).toBeLessThan(15 * HOUR);
    expect(said[0]!.at).toBeGreaterThan(13 * HOUR);
    expect(said[1]!.at).toBeLessThan(17.5 * HOUR);
  });

  it('sees no trend in noise, in a daily rhythm, in a step, in a spike and in a value that is beyond already', () => {
    const near: ForecastRule = { ...leakage, limit: 150 };
    for (const rule of [near, { ...near, windowMs: 8 * HOUR, withinMs: 12 * HOUR, limit: 165 }]) {
      for (let seed = 1; seed <= 5; seed++) {
        const normal = feeder(seed);
        const random = seeded(seed);
        expect(
          watch(
            rule,
            rows(60 * DAY, HOUR / 2, () => 110 + 60 * (random() - 0.5)),
          ),
        ).toEqual([]);
        expect(watch(rule, rows(60 * DAY, HOUR / 2, normal)).length).toBe(0);
        expect(
          watch(
            rule,
            rows(60 * DAY, HOUR / 2, (at) => normal(at) + (at < 30 * DAY ? 0 : 25)),
          ),
        ).toEqual([]);
        expect(
          watch(
            rule,
            rows(60 * DAY, HOUR / 2, (at) => (at === 30 * DAY ? 9000 : normal(at))),
          ),
        ).toEqual([]);
      }
    }
    expect(
      watch(
        leakage,
        rows(60 * DAY, HOUR, (at) => 400 + at / DAY),
      ),
    ).toEqual([]);
  });

  it('warns of a leaking hydrant twenty minutes or more ahead at either pace, and of no thirst of the town', () => {
    const { rules, simulate } = getSensorKind('hydrant-pressure')!;
    const preset = rules.find(({ id }) => id === 'pressure-trend-fast') as ForecastRule;
    const hydrant = (seed: number, ms: number, every: number, loss: (at: number) => number): Row[] => {
      const random = seeded(seed);
      const sensor = simulate(random);
      return rows(ms, every, (at) => {
        const disturbance = { pressureLoss: loss(at) };
        return sensor.sample({ time: at, hour: chinaHour(at), dt: every / 1000, random, disturbance }).pressure!;
      });
    };
    for (let seed = 1; seed <= 12; seed++) {
      for (const every of [60_000, 600_000]) {
        const begins = 12 * HOUR + seed * 2 * HOUR;
        const falling = hydrant(seed, 2 * DAY, every, (at) => Math.max(0, Math.min(0.75, (at - begins) / (5 * HOUR))));
        const [first] = watch(preset, falling);
        expect(first!.at).toBeGreaterThan(begins);
        expect(first!.at).toBeLessThan(falling.find(([, value]) => value < 140)![0] - HOUR / 3);
      }
      // A town that takes twice as much in the evening as ours.
      expect(
        watch(
          preset,
          hydrant(seed, 60 * DAY, 600_000, (at) => 0.15 * Math.exp(-0.5 * ((chinaHour(at) - 19.5) / 2.2) ** 2)),
        ),
      ).toEqual([]);
    }
  });

  it('needs most of its window: a short history, however steep, is no trend', () => {
    expect(
      watch(
        leakage,
        rows(5 * DAY, HOUR, (at) => 100 + (30 * at) / DAY),
      ),
    ).toEqual([]);
    const gaps = rows(30 * DAY, HOUR, (at) => 100 + (8 * at) / DAY).filter(([time]) => (time / DAY) % 4 > 1);
    expect(watch(leakage, gaps).map(({ what }) => what)).toEqual(['raise']);
  });

  it('gives times in order, and a score of at least 1 as long as it is sure', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 4, max: 60, noNaN: true }), (seed, perDay) => {
        const normal = feeder(seed);
        const state = fresh(leakage);
        for (const [time, value] of rows(20 * DAY, HOUR, (at) => normal(at) + (perDay * at) / DAY)) {
          const outcome = forecast.step(state, 0, leakage, {
            input: 0,
            source: 0,
            value,
            time,
            now: time,
            learn: true,
          });
          const { soonestMs = NaN, expectedMs = NaN, latestMs = NaN } = forecast.evidence(state, 0, leakage, time);
          if (Number.isNaN(expectedMs)) continue;
          expect(soonestMs).toBeLessThanOrEqual(expectedMs);
          expect(expectedMs).toBeLessThanOrEqual(latestMs);
          expect(soonestMs).toBeGreaterThanOrEqual(0);
          if (outcome === RAISE) expect(forecast.score(state, 0, leakage)).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('says the same after a restart between any two readings, in any unit and from any zero', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.constantFrom(0, 10, 25),
        fc.nat(480),
        fc.constantFrom(0.25, 16),
        (seed, perDay, at, scale) => {
          const normal = feeder(seed);
          const all = rows(20 * DAY, HOUR, (time) => Math.round(normal(time) + (perDay * time) / DAY));
          const expected = watch(leakage, all).map(({ what, at: when }) => `${what} ${when}`);
          const state = fresh(leakage);
          const halves = [
            ...watch(leakage, all.slice(0, at), state),
            ...watch(leakage, all.slice(at), Float64Array.from([...state])),
          ];
          expect(halves.map(({ what, at: when }) => `${what} ${when}`)).toEqual(expected);
          const scaled = watch(
            { ...leakage, limit: 300 * scale },
            all.map(([time, value]) => [time, value * scale] as const),
          );
          expect(scaled.map(({ what, at: when }) => `${what} ${when}`)).toEqual(expected);
          const shifted = watch(
            { ...leakage, limit: 1324 },
            all.map(([time, value]) => [time, value + 1024] as const),
          );
          expect(shifted.map(({ what }) => what)).toEqual(expected.map((one) => one.split(' ')[0]));
        },
      ),
      { numRuns: 30 },
    );
  });
});
