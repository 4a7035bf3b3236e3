import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { createCounty } from '@smart-fire/simulators';
import { describe, expect, it } from 'vitest';
import { CountyRun } from './county-run.ts';
import { scoreTable } from './table.ts';

const FROM = Date.UTC(2026, 11, 31, 16);
const DAY = 86_400_000;

/** What is raised on each day of a county of `size` devices. */
function live(size: number, days: number, seed: number) {
  const raised: string[] = [];
  const times: number[] = [];
  const run = new CountyRun({
    ...{ county: createCounty(size), rules: presetRules(SENSOR_KINDS), from: FROM, seed },
    onEffect(effect) {
      times.push(effect.receivedAt);
      if (effect.type === 'raise') raised.push(`${effect.class} ${effect.cause}`);
    },
  });
  for (let day = 1; day <= days; day++) run.advance(FROM + day * DAY);
  return { raised, times, readings: run.readings, rules: run.engine.rules() };
}

describe('the simulated county', () => {
  it('lives days of real readings in order, through rules that do not fail, and raises nothing in the first', () => {
    const { raised, times, readings, rules } = live(60, 2, 3);
    expect(readings).toBeGreaterThan(50_000);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(rules.filter(({ errors }) => errors > 0)).toEqual([]);
    expect(raised.filter((one) => /^(fire|early-warning) /.test(one))).toEqual([]);
  });

  it('is the same county for the same seed', () => {
    const { rules: _, ...once } = live(20, 1, 5);
    const { rules: __, ...again } = live(20, 1, 5);
    expect(again).toEqual(once);
    expect(live(20, 1, 6).readings).not.toBe(0);
  });
});

describe('the table of scores', () => {
  it('says of each figure whether its goal was reached', () => {
    const lines = [
      { what: 'F1', value: '0.87', goal: '≥ 0.86', reached: true },
      { what: 'FAR', value: '13 %', goal: '≤ 12 %', reached: false },
      { what: 'rows', value: '1,000', goal: '', reached: null },
    ];
    expect(scoreTable([{ name: 'skab', lines }]).split('\n')).toEqual([
      '        measured  goal',
      'skab',
      '  F1    0.87      ≥ 0.86  reached',
      '  FAR   13 %      ≤ 12 %  MISSED',
      '  rows  1,000',
    ]);
  });
});
