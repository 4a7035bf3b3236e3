import { createSmokeChamber, SMOKE_METRICS } from './parts/smoke-chamber.ts';
import { absence, BATTERY_ENDING, BATTERY_LOW, HEAT, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind } from './sensor.ts';

/** Point smoke detector behind a gateway or panel, which polls it and reports at once when something changes. */
export const smokeDetector: SensorKind = {
  kind: 'smoke-detector',
  zh: '感烟火灾探测器',
  en: 'Smoke detector',
  metrics: SMOKE_METRICS,
  intervalMs: 5 * 60_000,
  alertIntervalMs: 5_000,
  rules: [...VERDICTS, HEAT, BATTERY_LOW, BATTERY_ENDING, absence(30 * 60_000, SILENCE)],
  simulate: createSmokeChamber,
};
