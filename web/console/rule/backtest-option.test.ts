import { describe, expect, it } from 'vitest';
import type { BacktestAnswer } from '../api/types.ts';
import { backtestOption, chartHeight, withHoles } from './backtest-option.ts';

const look = { ink: '#000', quiet: '#888', line: '#333', band: '#ccc', early: 'orange', fire: 'red', font: 'sans' };
const words = {
  score: 'score',
  limit: 'limit',
  normal: 'normal',
  metric: (name: string) => ({ name, unit: '' }),
  clock: String,
};
const result: BacktestAnswer = {
  readings: 3,
  episodes: [
    { from: 10, to: 20, level: 'early', sentence: { zh: '', en: '' } },
    { from: 30, to: null, level: 'fire', sentence: { zh: '', en: '' } },
  ],
  alarms: 2,
  timeInAlarm: 80,
  remarks: [],
  rows: 3,
  warmUp: 0,
  series: [
    {
      device: 'a',
      deviceName: 'Pump',
      metric: 'pressure',
      point: '',
      points: [
        [0, 1],
        [10, 2],
      ],
      learned: [[0, 0.5, 1.5]],
    },
    { device: 'b', deviceName: 'Pipe', metric: 'flow', point: '', points: [[0, 3]], learned: [] },
  ],
  score: [
    [0, 0.2],
    [10, 1.5],
  ],
};
const option = backtestOption(result, 0, 100, look, words);

describe('the chart of a backtest', () => {
  it('has a plot for each metric and one for the score, over the same time', () => {
    expect(option.grid).toHaveLength(3);
    expect(option.xAxis.map(({ min, max }) => [min, max])).toEqual([
      [0, 100],
      [0, 100],
      [0, 100],
    ]);
    // As wide as each other, whatever stands at their sides.
    expect(
      new Set(option.grid.map(({ left, right, outerBoundsMode }) => `${left} ${right} ${outerBoundsMode}`)),
    ).toEqual(new Set(['64 16 none']));
    expect(option.yAxis.map(({ name }) => name)).toEqual(['pressure Pump', 'flow Pipe', 'score']);
    expect(chartHeight(3)).toBeGreaterThan(chartHeight(2));
  });

  it('shades every would-be alarm, fire-grade ones otherwise, to the end where it was not over', () => {
    const [score] = option.series.slice(-1) as unknown as { markArea: { data: object[][] } }[];
    expect(score!.markArea.data).toMatchObject([
      [{ xAxis: 10, itemStyle: { color: 'orange' } }, { xAxis: 20 }],
      [{ xAxis: 30, itemStyle: { color: 'red' } }, { xAxis: 100 }],
    ]);
  });

  it('has the band of what was held for normal where the values are, below zero too', () => {
    const band = option.series.filter((one) => 'stack' in one) as { stack?: string; stackStrategy?: string }[];
    expect(band.map(({ stack, stackStrategy }) => [stack, stackStrategy])).toEqual([
      ['band-0', 'all'],
      ['band-0', 'all'],
    ]);
  });

  it('has room for what was held for normal', () => {
    expect(option.yAxis[0]).toMatchObject({ min: 0.35, max: 2.15 });
  });

  it('draws no line over time without data', () => {
    expect(
      withHoles([
        [0, 1],
        [1, 1],
        [2, 1],
        [50, 1],
      ]),
    ).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [3, null],
      [50, 1],
    ]);
  });
});
