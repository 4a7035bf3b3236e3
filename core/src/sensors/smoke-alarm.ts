import { createSmokeChamber, SMOKE_METRICS } from './parts/smoke-chamber.ts';
import { absence, BATTERY_ENDING, BATTERY_LOW, HEAT, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind } from './sensor.ts';

/** Standalone smoke alarm (small premises, homes of the elderly) on a narrow-band radio: it sleeps, and wakes for smoke. */
export const smokeAlarm: SensorKind = {
  kind: 'smoke-alarm',
  zh: '独立式感烟火灾探测报警器',
  en: 'Standalone smoke alarm',
  metrics: SMOKE_METRICS,
  intervalMs: 4 * 3_600_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    HEAT,
    BATTERY_LOW,
    BATTERY_ENDING,
    absence(25 * 3_600_000, {
      zh: 'GB 20517-2025 §5.11:电池自检至少每 24 h 一次;另加 1 h 余量',
      en: 'GB 20517-2025 §5.11: battery self-test at least every 24 h; plus 1 h of margin',
    }),
  ],
  simulate: createSmokeChamber,
};
