import { createEpisodes } from './parts/episodes.ts';
import { habit } from './parts/habit.ts';
import { createLag, createNoise, quantise } from './parts/noise.ts';
import { cooking } from './parts/rhythm.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import { createVerdict } from './parts/verdict.ts';
import type { SensorKind } from './sensor.ts';

/** Methane that fills a 30 m³ kitchen to its lower explosive limit of 5 % by volume (L), and how fast it airs out (s). */
const LEL_LITRES = 1500;
const AIR_CHANGE = 1200;

/** Combustible gas detector (catalytic or infrared), mains powered. */
export const gasDetector: SensorKind = {
  kind: 'gas-detector',
  zh: '可燃气体探测器',
  en: 'Combustible gas detector',
  metrics: [{ metric: 'gas', valid: [0, 2000], measuring: [0, 100] }],
  intervalMs: 60_000,
  alertIntervalMs: 5_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'gas-low',
      class: 'early-warning',
      zh: '可燃气体超过 25 % LEL(一级)',
      en: 'Combustible gas above 25 % LEL (first level)',
      metric: 'gas',
      direction: 'above',
      limit: 25,
      hysteresis: 5,
      forMs: 10_000,
      source: {
        zh: 'GB/T 50493-2019:一级报警设定值不大于 25 % LEL',
        en: 'GB/T 50493-2019: first alarm setting at most 25 % LEL',
      },
    },
    {
      type: 'threshold',
      id: 'gas-high',
      class: 'early-warning',
      zh: '可燃气体超过 50 % LEL(二级)',
      en: 'Combustible gas above 50 % LEL (second level)',
      metric: 'gas',
      direction: 'above',
      limit: 50,
      hysteresis: 10,
      forMs: 0,
      source: {
        zh: 'GB/T 50493-2019:二级报警设定值不大于 50 % LEL',
        en: 'GB/T 50493-2019: second alarm setting at most 50 % LEL',
      },
    },
    {
      type: 'rate',
      id: 'gas-rising',
      class: 'early-warning',
      zh: '可燃气体每分钟上升 3 % LEL',
      en: 'Combustible gas rises by 3 % LEL a minute',
      metric: 'gas',
      direction: 'rising',
      limit: 3,
      hysteresis: 1,
      windowMs: 5 * 60_000,
      forMs: 0,
      source: {
        zh: '工程预设:照此速度约 8 min 达到 GB/T 50493 的一级报警值 25 % LEL',
        en: 'Engineering preset: at this pace the 25 % LEL of GB/T 50493 (first level) are reached in about 8 min',
      },
    },
    habit('gas', 'early-warning', 60_000),
    absence(5 * 60_000, SILENCE),
  ],
  simulate(random) {
    const air = createLag(AIR_CHANGE, 0);
    const head = createLag(15, 0);
    const drift = createNoise(random, 0.4, 6 * 3600);
    const noise = createNoise(random, 0.3, 60);
    // A tap opened before the flame catches, alcohol in the pan.
    const whiff = createEpisodes(random, { perDay: 4, weight: cooking, amplitude: [1, 6], minutes: [1, 3], tau: 40 });
    const alarm = createVerdict({ event: 'supervisory', restored: 'supervisory-restored', detail: 'gas' }, 5);
    return {
      sample(input) {
        const rate = (100 * Math.max(0, input.disturbance.gasLeak ?? 0)) / LEL_LITRES;
        air.step(rate * AIR_CHANGE, input.dt);
        head.step(air.value + whiff(input.hour, input.dt), input.dt);
        return { gas: quantise(Math.max(0, head.value + drift(input.dt) + noise(input.dt)), 1) };
      },
      event: ({ dt }) => alarm.step(head.value >= 25, head.value < 15, dt),
    };
  },
};
