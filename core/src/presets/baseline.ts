import type { Rule } from '../model/rule.ts';

/**
 * A series' own habit, for any metric: tried on recordings and stored history as it is (an empty `metric` takes the recording's own), and the
 * pattern for rules of one's own. The sensor kinds have presets of this kind for their metrics, a good deal quieter.
 */
export const BASELINE: Rule = {
  id: 'preset:baseline',
  version: 1,
  definition: {
    id: 'baseline',
    type: 'baseline',
    class: 'early-warning',
    zh: '偏离自身习惯',
    en: 'Departure from its own habit',
    metric: '',
    rareDays: 500,
    warmUp: 1000,
    learn: true,
    source: {
      zh: '工程预设:偏离程度按该测点自身历史的尾部概率判定,以模拟记录上的 NAB 评分确定灵敏度',
      en: "Engineering preset: departures are judged by the tail of the series' own past; sensitivity from the NAB score of simulated recordings",
    },
  },
  scope: {},
  mode: 'off',
  schedule: null,
  preset: true,
  overrides: [],
};
