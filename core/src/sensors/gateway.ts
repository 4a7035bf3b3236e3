import { createNoise, quantise } from './parts/noise.ts';
import { createRadio, RADIO_METRICS } from './parts/radio.ts';
import { activity } from './parts/rhythm.ts';
import { absence, BATTERY_ENDING, BATTERY_LOW, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind } from './sensor.ts';

/** Gateway or transmitter (用户信息传输装置) that carries a building's devices, on mains with a backup battery. */
export const gateway: SensorKind = {
  kind: 'gateway',
  zh: '用户信息传输装置/网关',
  en: 'Transmitter / gateway',
  metrics: [{ metric: 'voltage', valid: [0, 1000], measuring: [0, 300] }, ...RADIO_METRICS],
  intervalMs: 30_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'mains-low',
      class: 'fault',
      zh: '主电源电压低于 187 V(85 %)',
      en: 'Mains below 187 V (85 %)',
      metric: 'voltage',
      direction: 'below',
      limit: 187,
      hysteresis: 5,
      forMs: 60_000,
      source: {
        zh: 'GB 26875.1-2011:主电源 220 V 的 85 % 至 110 % 应正常工作',
        en: 'GB 26875.1-2011: works on 85 % to 110 % of 220 V',
      },
    },
    BATTERY_LOW,
    BATTERY_ENDING,
    absence(100_000, {
      zh: 'GB 26875.1-2011:传输线路故障应在 100 s 内报出',
      en: 'GB 26875.1-2011: a lost link is reported within 100 s',
    }),
  ],
  simulate(random) {
    const radio = createRadio(random);
    const grid = createNoise(random, 2, 1800);
    return {
      sample: (input) => ({
        voltage: quantise(225 - 4 * activity(input.hour) + grid(input.dt), 10),
        ...radio.sample(input),
      }),
      event: radio.event,
    };
  },
};
