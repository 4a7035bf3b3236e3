import { describe, expect, it } from 'vitest';
import type { History } from '../api/types.ts';
import { extent, historyOption, withGaps } from './chart-option.ts';

const look = { ink: '#000', quiet: '#888', line: '#333', band: '#ccc', normal: '#ddd', alarm: {}, font: 'sans-serif' };
const words = { mean: 'mean', range: 'range', normal: 'normal', said: () => 'too low', clock: String };

describe('the history chart', () => {
  it('leaves time without data empty', () => {
    const points: History['points'] = [0, 10, 20, 30, 100, 110].map((at) => [at, 1, 2, 3]);
    expect(withGaps(points).map(([at, , mean]) => [at, mean])).toEqual([
      [0, 2],
      [10, 2],
      [20, 2],
      [30, 2],
      [40, null],
      [100, 2],
      [110, 2],
    ]);
  });

  it('has room for every limit, and starts at zero where nothing is negative', () => {
    expect(extent([10, 20, 250])).toEqual([0, 274]);
    expect(extent([-90, -60])).toEqual([-93, -57]);
    expect(extent([])).toEqual([0, 1]);
  });

  it('draws the band from lowest to highest where the values are, below zero too', () => {
    const history: History = { metric: 'signal', unit: 'dBm', points: [[0, -90, -80, -70]], limits: [] };
    const [low, height] = historyOption(history, [], 0, 10, look, words).series;
    expect([low, height]).toMatchObject([
      { data: [[0, -90]], stack: 'band', stackStrategy: 'all' },
      { data: [[0, 20]], stack: 'band', stackStrategy: 'all' },
    ]);
  });

  it('draws a line for each limit, and what was learned to be normal', () => {
    const limit = {
      rule: 'r',
      class: 'fault' as const,
      direction: 'below' as const,
      limit: 140,
      hysteresis: 10,
      forMs: 0,
      zh: '',
      en: '',
    };
    const option = historyOption(
      { metric: 'pressure', unit: 'kPa', points: [[0, 1, 2, 3]], limits: [limit] },
      [{ point: '', metric: 'pressure', centre: 300, low: 280, high: 320 }],
      0,
      10,
      look,
      words,
    );
    const [, , mean] = option.series;
    expect(mean!.markArea!.data).toMatchObject([[{ yAxis: 280 }, { yAxis: 320 }]]);
    expect(option.yAxis.max).toBeGreaterThan(320);
    expect(mean!.markLine!.data).toHaveLength(1);
    expect(mean!.markLine!.data[0]!.label.formatter).toBe('↓ 140 too low');
  });
});
