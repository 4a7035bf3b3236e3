import type { Rule } from '../model/rule.ts';

/**
 * Several metrics of one machine or circuit together, for any metrics: tried on recordings and stored history as it is (no `metrics` takes all
 * of the recording), and the pattern for rules of one's own. Rows are the device's own pace: 10,080 are a week of minutes.
 */
export const MULTIVARIATE_HEALTH: Rule = {
  id: 'preset:multivariate-health',
  version: 1,
  definition: {
    id: 'multivariate-health',
    type: 'multivariate',
    class: 'early-warning',
    zh: '多参量偏离正常状态',
    en: 'Departure from the normal state of several metrics',
    metrics: [],
    limit: 3.9,
    warmUp: 10_080,
    accuracy: 0.3,
    learn: true,
    source: {
      zh: '工程预设:以公开的水循环试验台记录(SKAB)及其扰动、抽稀、加噪变体核对',
      en: 'Engineering preset: checked on public recordings of a water loop (SKAB) and on variants of them with noise, fewer rows and fewer metrics',
    },
  },
  scope: {},
  mode: 'off',
  schedule: null,
  preset: true,
  overrides: [],
};
