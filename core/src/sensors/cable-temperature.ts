import { habit } from './parts/habit.ts';
import { between, createLag, createNoise, quantise } from './parts/noise.ts';
import { activity, bump, outdoors } from './parts/rhythm.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind, SimulationInput } from './sensor.ts';

/** Temperature sensor on a cable or joint in a distribution box. */
export const cableTemperature: SensorKind = {
  kind: 'cable-temperature',
  zh: '测温式电气火灾监控探测器',
  en: 'Cable temperature monitor',
  metrics: [{ metric: 'temperature', valid: [-60, 1300], measuring: [-20, 200] }],
  intervalMs: 60_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'cable-hot',
      class: 'early-warning',
      zh: '电缆温度超过 70 °C',
      en: 'Cable hotter than 70 °C',
      metric: 'temperature',
      direction: 'above',
      limit: 70,
      hysteresis: 5,
      forMs: 40_000,
      source: {
        zh: 'GB 14287.3-2014:报警设定 55 至 140 °C,响应不大于 40 s(数值待核对原文);70 °C 为 PVC 绝缘导体最高工作温度',
        en: 'GB 14287.3-2014: setting 55 to 140 °C, response within 40 s (figures yet to be checked against the text); 70 °C is the limit of PVC insulation in service',
      },
    },
    {
      type: 'threshold',
      id: 'cable-very-hot',
      class: 'early-warning',
      zh: '电缆温度超过 140 °C',
      en: 'Cable hotter than 140 °C',
      metric: 'temperature',
      direction: 'above',
      limit: 140,
      hysteresis: 10,
      forMs: 0,
      source: {
        zh: 'GB 14287.3-2014:报警设定上限 140 °C(数值待核对原文)',
        en: 'GB 14287.3-2014: upper end of the setting range (figure yet to be checked against the text)',
      },
    },
    {
      type: 'forecast',
      id: 'cable-trend',
      class: 'early-warning',
      zh: '预计 5 天内电缆日均温度达到 70 °C',
      en: 'Daily mean of the cable expected to reach 70 °C within 5 days',
      metric: 'temperature',
      direction: 'above',
      limit: 70,
      withinMs: 5 * 86_400_000,
      windowMs: 5 * 86_400_000,
      confidence: 0.9,
      source: {
        zh: '70 °C 为 PVC 绝缘导体最高工作温度(GB 14287.3-2014 设定范围内);5 天趋势(工程预设)',
        en: '70 °C is the limit of PVC insulation in service; trend of 5 days (engineering preset)',
      },
    },
    habit('temperature', 'early-warning', 60_000),
    absence(5 * 60_000, SILENCE),
  ],
  simulate(random) {
    // Rise at rated current (K); heating goes with the square of the load and follows it over some minutes of copper and air.
    const rise = between(random, 28, 38);
    const base = between(random, 0.15, 0.3);
    const swing = between(random, 0.25, 0.45);
    const shelter = between(random, 0.35, 0.7);
    const conductor = createLag(between(random, 400, 900), 25);
    const load = createNoise(random, 0.05, 900);
    const weather = createNoise(random, 2, 2 * 86_400);
    const noise = createNoise(random, 0.15, 20);
    let settled = false;
    const ambient = (input: SimulationInput) =>
      18 +
      shelter * (outdoors(input.time, input.hour) + weather(input.dt) - 18) +
      4 * bump(input.hour, 14, 2) * (1 - shelter);
    return {
      sample(input) {
        const share = Math.max(
          0,
          base + swing * activity(input.hour) + load(input.dt) + (input.disturbance.overload ?? 0),
        );
        // A fire beside the box heats it like a plume wall: roughly 0.5 K per kW up to flame temperature.
        const fire = Math.min(800, 0.5 * (input.disturbance.fireKw ?? 0));
        conductor.step(ambient(input) + rise * share ** 2 + fire, settled ? input.dt : 1e9);
        settled = true;
        return { temperature: quantise(conductor.value + noise(input.dt), 10) };
      },
      event: () => null,
    };
  },
};
