import { createEpisodes } from './parts/episodes.ts';
import { habit } from './parts/habit.ts';
import { between, createNoise, quantise } from './parts/noise.ts';
import { activity } from './parts/rhythm.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind, Source } from './sensor.ts';

const GB_50116: Source = {
  zh: 'GB 50116-2013 §9.2.3:报警值宜为 300 至 500 mA(不得据此自动断电)',
  en: 'GB 50116-2013 §9.2.3: alarm setting should be 300 to 500 mA (never cut the supply by it)',
};

/** Residual current electrical-fire monitor on a feeder. */
export const residualCurrent: SensorKind = {
  kind: 'residual-current',
  zh: '剩余电流式电气火灾监控探测器',
  en: 'Residual current monitor',
  metrics: [{ metric: 'residual_current', valid: [0, 100_000], measuring: [0, 1000] }],
  intervalMs: 60_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'leakage',
      class: 'early-warning',
      zh: '剩余电流超过 300 mA',
      en: 'Residual current above 300 mA',
      metric: 'residual_current',
      direction: 'above',
      limit: 300,
      hysteresis: 30,
      forMs: 30_000,
      source: GB_50116,
    },
    {
      type: 'threshold',
      id: 'leakage-high',
      class: 'early-warning',
      zh: '剩余电流超过 500 mA',
      en: 'Residual current above 500 mA',
      metric: 'residual_current',
      direction: 'above',
      limit: 500,
      hysteresis: 50,
      forMs: 10_000,
      source: GB_50116,
    },
    {
      type: 'forecast',
      id: 'leakage-trend',
      class: 'early-warning',
      zh: '预计 7 天内剩余电流达到 300 mA',
      en: 'Residual current expected to reach 300 mA within 7 days',
      metric: 'residual_current',
      direction: 'above',
      limit: 300,
      withinMs: 7 * 86_400_000,
      windowMs: 7 * 86_400_000,
      confidence: 0.9,
      source: {
        zh: 'GB 50116-2013 §9.2.3 的 300 mA;7 天趋势(Theil–Sen),90 % 置信(工程预设)',
        en: '300 mA of GB 50116-2013 §9.2.3; Theil–Sen trend of 7 days at 90 % confidence (engineering preset)',
      },
    },
    {
      type: 'forecast',
      id: 'leakage-trend-fast',
      class: 'early-warning',
      zh: '预计 12 h 内剩余电流达到 300 mA',
      en: 'Residual current expected to reach 300 mA within 12 h',
      metric: 'residual_current',
      direction: 'above',
      limit: 300,
      withinMs: 12 * 3_600_000,
      windowMs: 8 * 3_600_000,
      confidence: 0.95,
      source: {
        zh: 'GB 50116-2013 §9.2.3 的 300 mA;8 h 趋势(Theil–Sen),95 % 置信(工程预设)',
        en: '300 mA of GB 50116-2013 §9.2.3; Theil–Sen trend of 8 h at 95 % confidence (engineering preset)',
      },
    },
    habit('residual_current', 'early-warning', 60_000),
    absence(5 * 60_000, SILENCE),
  ],
  simulate(random) {
    // Natural leakage of a feeder with its filters; more when appliances run and when walls are damp.
    const natural = between(random, 40, 120);
    const appliances = between(random, 10, 45);
    const damp = createNoise(random, 9, 12 * 3600);
    const noise = createNoise(random, 3, 40);
    const kettle = createEpisodes(random, {
      perDay: 6,
      weight: activity,
      amplitude: [5, 25],
      minutes: [3, 40],
      tau: 5,
    });
    return {
      sample({ hour, dt, disturbance }) {
        const leakage =
          natural +
          appliances * activity(hour) +
          damp(dt) +
          noise(dt) +
          kettle(hour, dt) +
          (disturbance.leakageMa ?? 0);
        return { residual_current: quantise(Math.max(0, leakage), 1) };
      },
      event: () => null,
    };
  },
};
