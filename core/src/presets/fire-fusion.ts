import type { Rule } from '../model/rule.ts';

/**
 * Fire from the ordinary readings of a room, before a detector's verdict. The figures are those at which one metric alone warns; metrics
 * that agree warn at a part of them. `level` of the alarm is early or fire.
 */
export const FIRE_FUSION: Rule = {
  id: 'preset:fire-fusion',
  version: 1,
  definition: {
    id: 'fire-fusion',
    type: 'fusion',
    class: 'early-warning',
    zh: '多参量火灾早期预警',
    en: 'Fire early warning from several sensors',
    heatBurst: 4.5,
    heatRise: 20,
    smoke: 0.15,
    co: 200,
    freshMs: 10 * 60_000,
    clearMs: 5 * 60_000,
    sensors: 24,
    learn: true,
    source: {
      zh: '工程预设:以 NIST TN 1455 住宅火灾试验核对;温升参照 EN 54-5 差温(R 型)响应,烟雾为 GB 4715-2024 B 型探测器的最小响应阈值,一氧化碳低于 EN 50291-1 的 300 ppm',
      en: 'Engineering preset, checked on home fire tests of NIST TN 1455; heat after the rate-of-rise response of EN 54-5, smoke the least response threshold of a type B detector of GB 4715-2024, CO below the 300 ppm of EN 50291-1',
    },
  },
  scope: { kinds: ['smoke-detector', 'smoke-alarm', 'heat-detector', 'co-detector'] },
  mode: 'on',
  schedule: null,
  preset: true,
  overrides: [],
};
