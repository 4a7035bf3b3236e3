import { habit } from './parts/habit.ts';
import { between, createNoise, quantise } from './parts/noise.ts';
import { activity } from './parts/rhythm.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind } from './sensor.ts';

/** Rated current of the feeder that the presets and the model are made for (A). */
const RATED = 100;

/** Current and voltage of a feeder. */
export const electricalLoad: SensorKind = {
  kind: 'electrical-load',
  zh: '电气负荷监测',
  en: 'Electrical load monitor',
  metrics: [
    { metric: 'current', valid: [0, 100_000], measuring: [0, 600] },
    { metric: 'voltage', valid: [0, 1000], measuring: [0, 300] },
  ],
  intervalMs: 60_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'overload',
      class: 'early-warning',
      zh: '电流超过额定值 100 A 达 5 min',
      en: 'Current above its rating of 100 A for 5 min',
      metric: 'current',
      direction: 'above',
      limit: RATED,
      hysteresis: 5,
      forMs: 5 * 60_000,
      source: {
        zh: '回路额定电流(按 100 A 预设,请按现场修改)',
        en: 'Rated current of the circuit (preset for 100 A, set it for yours)',
      },
    },
    {
      type: 'threshold',
      id: 'overload-high',
      class: 'early-warning',
      zh: '电流超过额定值的 1.45 倍',
      en: 'Current above 1.45 times its rating',
      metric: 'current',
      direction: 'above',
      limit: 1.45 * RATED,
      hysteresis: 10,
      forMs: 60_000,
      source: {
        zh: 'GB/T 16895.5(IEC 60364-4-43):约定动作电流 1.45 倍',
        en: 'IEC 60364-4-43: conventional tripping current 1.45 times the rating',
      },
    },
    {
      type: 'threshold',
      id: 'voltage-high',
      class: 'supervisory',
      zh: '电压超过 235.4 V(+7 %)',
      en: 'Voltage above 235.4 V (+7 %)',
      metric: 'voltage',
      direction: 'above',
      limit: 235.4,
      hysteresis: 2,
      forMs: 5 * 60_000,
      source: {
        zh: 'GB/T 12325-2008:220 V 单相 +7 %、−10 %(数值待核对原文)',
        en: 'GB/T 12325-2008: 220 V single phase, +7 % and −10 % (figures yet to be checked against the text)',
      },
    },
    {
      type: 'threshold',
      id: 'voltage-low',
      class: 'supervisory',
      zh: '电压低于 198 V(−10 %)',
      en: 'Voltage below 198 V (−10 %)',
      metric: 'voltage',
      direction: 'below',
      limit: 198,
      hysteresis: 2,
      forMs: 5 * 60_000,
      source: {
        zh: 'GB/T 12325-2008:220 V 单相 +7 %、−10 %(数值待核对原文)',
        en: 'GB/T 12325-2008: 220 V single phase, +7 % and −10 % (figures yet to be checked against the text)',
      },
    },
    habit('current', 'early-warning', 60_000),
    {
      type: 'multivariate',
      id: 'health',
      class: 'early-warning',
      zh: '回路电流与电压偏离正常状态',
      en: 'Current and voltage of the circuit have left their normal state',
      metrics: ['current', 'voltage'],
      limit: 5,
      warmUp: 14 * 24 * 60,
      accuracy: 0.3,
      learn: true,
      source: {
        zh: '工程预设:学习两周;限值使模拟回路每 1000 台·日误报少于 1 次',
        en: 'Engineering preset: two weeks to learn from; limit from fewer than 1 false warning in 1,000 device-days of simulated circuits',
      },
    },
    absence(5 * 60_000, SILENCE),
  ],
  simulate(random) {
    const base = between(random, 0.12, 0.25);
    const swing = between(random, 0.25, 0.45);
    const usage = createNoise(random, 0.05, 900);
    const flicker = createNoise(random, 0.015, 10);
    const supply = between(random, 222, 227);
    const grid = createNoise(random, 1.5, 1800);
    return {
      sample({ hour, dt, disturbance }) {
        const share = base + swing * activity(hour) + usage(dt) + flicker(dt) + (disturbance.overload ?? 0);
        const current = RATED * Math.max(0.01, share);
        // The feeder's own impedance: some 5 V at rated load.
        const voltage = supply + grid(dt) - 0.05 * current;
        return { current: quantise(current, 10), voltage: quantise(Math.max(0, voltage), 10) };
      },
      event: () => null,
    };
  },
};
