import { between, createLag, quantise } from './parts/noise.ts';
import { createRadio, RADIO_METRICS } from './parts/radio.ts';
import { createRoom } from './parts/room.ts';
import { absence, BATTERY_ENDING, BATTERY_LOW, HEAT, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import { createVerdict } from './parts/verdict.ts';
import type { SensorKind } from './sensor.ts';

/** Point heat detector, class A2 (static response 54 to 70 °C). */
export const heatDetector: SensorKind = {
  kind: 'heat-detector',
  zh: '感温火灾探测器',
  en: 'Heat detector',
  metrics: [{ metric: 'temperature', valid: [-60, 1300], measuring: [-20, 100] }, ...RADIO_METRICS],
  intervalMs: 5 * 60_000,
  alertIntervalMs: 5_000,
  rules: [
    ...VERDICTS,
    HEAT,
    {
      type: 'threshold',
      id: 'warm',
      class: 'early-warning',
      zh: '环境温度超过探测器的最高使用温度 50 °C',
      en: "Air above 50 °C, the detector's highest application temperature",
      metric: 'temperature',
      direction: 'above',
      limit: 50,
      hysteresis: 5,
      forMs: 30_000,
      source: {
        zh: 'GB 4716-2005 A1、A2 类最高使用温度 50 °C',
        en: 'GB 4716 / EN 54-5, classes A1 and A2: maximum application temperature 50 °C',
      },
    },
    {
      type: 'rate',
      id: 'heat-rise',
      class: 'early-warning',
      zh: '温升速率达到 8.3 °C/min',
      en: 'Air warms by 8.3 °C a minute',
      metric: 'temperature',
      direction: 'rising',
      limit: 8.3,
      hysteresis: 4,
      windowMs: 60_000,
      forMs: 0,
      source: {
        zh: 'GB 4716 / EN 54-5 R 型(差温)的响应区;8.3 °C/min 即差温探测器常用的 15 °F/min',
        en: 'GB 4716 / EN 54-5, class R (rate of rise); 8.3 °C/min is the 15 °F/min customary for such detectors',
      },
    },
    BATTERY_LOW,
    BATTERY_ENDING,
    absence(30 * 60_000, SILENCE),
  ],
  simulate(random) {
    const room = createRoom(random);
    const radio = createRadio(random);
    const element = createLag(between(random, 30, 60), 22);
    const response = between(random, 57, 65);
    const fire = createVerdict({ event: 'fire', restored: 'restored', detail: 'heat' }, 0);
    let settled = false;
    return {
      sample(input) {
        element.step(room(input).temperature, settled ? input.dt : 1e9);
        settled = true;
        return { temperature: quantise(element.value, 10), ...radio.sample(input) };
      },
      event: (input) => fire.step(element.value >= response, element.value < 50, input.dt) ?? radio.event(input),
    };
  },
};
