import { habit } from './parts/habit.ts';
import { between, createNoise, quantise } from './parts/noise.ts';
import { createRadio, RADIO_METRICS } from './parts/radio.ts';
import { activity } from './parts/rhythm.ts';
import { absence, BATTERY_ENDING, BATTERY_LOW, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind } from './sensor.ts';

/** Pressure sensor in a street hydrant on the municipal main. */
export const hydrantPressure: SensorKind = {
  kind: 'hydrant-pressure',
  zh: '消火栓水压监测',
  en: 'Hydrant pressure',
  metrics: [{ metric: 'pressure', valid: [-100, 10_000], measuring: [0, 1600] }, ...RADIO_METRICS],
  intervalMs: 10 * 60_000,
  alertIntervalMs: 60_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'pressure-low',
      class: 'supervisory',
      zh: '市政消火栓压力低于 0.14 MPa',
      en: 'Hydrant pressure below 0.14 MPa',
      metric: 'pressure',
      direction: 'below',
      limit: 140,
      hysteresis: 10,
      forMs: 60_000,
      source: {
        zh: 'GB 55036-2022 §3.0.3:平时运行工作压力不应小于 0.14 MPa',
        en: 'GB 55036-2022 §3.0.3: at least 0.14 MPa in normal service',
      },
    },
    {
      type: 'forecast',
      id: 'pressure-trend',
      class: 'supervisory',
      zh: '预计 5 天内消火栓日均压力降至 0.14 MPa',
      en: 'Daily mean of the hydrant pressure expected to fall to 0.14 MPa within 5 days',
      metric: 'pressure',
      direction: 'below',
      limit: 140,
      withinMs: 5 * 86_400_000,
      windowMs: 5 * 86_400_000,
      confidence: 0.9,
      source: {
        zh: 'GB 55036-2022 §3.0.3:平时运行工作压力不应小于 0.14 MPa;5 天趋势(工程预设)',
        en: 'GB 55036-2022 §3.0.3: at least 0.14 MPa in normal service; trend of 5 days (engineering preset)',
      },
    },
    {
      type: 'forecast',
      id: 'pressure-trend-fast',
      class: 'supervisory',
      zh: '预计 1.5 h 内消火栓压力降至 0.14 MPa',
      en: 'Hydrant pressure expected to fall to 0.14 MPa within 1.5 h',
      metric: 'pressure',
      direction: 'below',
      limit: 140,
      // No further ahead: the fall before the morning's and the evening's peak of demand is a trend, too.
      withinMs: 90 * 60_000,
      windowMs: 60 * 60_000,
      confidence: 0.95,
      source: {
        zh: 'GB 55036-2022 §3.0.3:平时运行工作压力不应小于 0.14 MPa;1 h 趋势(Theil–Sen),95 % 置信(工程预设)',
        en: 'GB 55036-2022 §3.0.3: at least 0.14 MPa in normal service; Theil–Sen trend of 1 h at 95 % confidence (engineering preset)',
      },
    },
    habit('pressure', 'supervisory', 10 * 60_000),
    BATTERY_LOW,
    BATTERY_ENDING,
    absence(3_600_000, SILENCE),
  ],
  simulate(random) {
    const radio = createRadio(random);
    // Highest at night; the whole town's demand takes some of it away.
    const night = between(random, 270, 360);
    const demand = between(random, 25, 60);
    const supply = createNoise(random, 5, 4 * 3600);
    const surge = createNoise(random, 3, 30);
    return {
      sample(input) {
        const loss = Math.min(1, Math.max(0, input.disturbance.pressureLoss ?? 0));
        const main = night - demand * activity(input.hour) + supply(input.dt);
        return { pressure: quantise(Math.max(0, main * (1 - loss) + surge(input.dt)), 1), ...radio.sample(input) };
      },
      event: radio.event,
    };
  },
};
