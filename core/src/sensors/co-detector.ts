import { createLag, quantise } from './parts/noise.ts';
import { createRadio, RADIO_METRICS } from './parts/radio.ts';
import { createRoom } from './parts/room.ts';
import { absence, BATTERY_ENDING, BATTERY_LOW, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import { createVerdict } from './parts/verdict.ts';
import type { SensorKind, Source, ThresholdRule } from './sensor.ts';

const EN_50291: Source = {
  zh: 'EN 50291-1 报警条件:50 ppm 60 至 90 min、100 ppm 10 至 40 min、300 ppm 3 min 以内',
  en: 'EN 50291-1 alarm conditions: 50 ppm for 60 to 90 min, 100 ppm for 10 to 40 min, 300 ppm within 3 min',
};

function above(limit: number, minutes: number): ThresholdRule {
  return {
    type: 'threshold',
    id: `co-${limit}`,
    class: 'early-warning',
    zh: `一氧化碳超过 ${limit} ppm 达 ${minutes} min`,
    en: `Carbon monoxide above ${limit} ppm for ${minutes} min`,
    metric: 'co',
    direction: 'above',
    limit,
    hysteresis: limit / 5,
    forMs: minutes * 60_000,
    source: EN_50291,
  };
}

/** Carbon monoxide detector (electrochemical cell): smouldering fires and stoves. */
export const coDetector: SensorKind = {
  kind: 'co-detector',
  zh: '一氧化碳探测器',
  en: 'Carbon monoxide detector',
  metrics: [
    { metric: 'co', valid: [0, 100_000], measuring: [0, 1000] },
    { metric: 'temperature', valid: [-60, 1300], measuring: [-20, 85] },
    ...RADIO_METRICS,
  ],
  intervalMs: 5 * 60_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    above(50, 60),
    above(100, 10),
    above(300, 1),
    BATTERY_LOW,
    BATTERY_ENDING,
    absence(30 * 60_000, SILENCE),
  ],
  simulate(random) {
    const room = createRoom(random);
    const radio = createRadio(random);
    const cell = createLag(45, 1);
    let temperature = 22;
    // The device's own verdict follows the two faster conditions of EN 50291-1.
    const slow = createVerdict({ event: 'fire', restored: 'restored', detail: 'co' }, 600);
    const fast = createVerdict({ event: 'fire', restored: 'restored', detail: 'co' }, 60);
    return {
      sample(input) {
        const air = room(input);
        temperature = air.temperature;
        cell.step(air.co, input.dt);
        return { co: quantise(cell.value, 1), temperature: quantise(temperature, 10), ...radio.sample(input) };
      },
      event: (input) =>
        fast.step(cell.value >= 300, cell.value < 100, input.dt) ??
        (fast.active ? null : slow.step(cell.value >= 100, cell.value < 50, input.dt)) ??
        radio.event(input),
    };
  },
};
