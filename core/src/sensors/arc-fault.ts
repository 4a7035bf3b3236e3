import { createEpisodes } from './parts/episodes.ts';
import { createNoise, gaussian, quantise } from './parts/noise.ts';
import { activity } from './parts/rhythm.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind } from './sensor.ts';

/** Arc-fault monitor: most arcing half-waves seen in any one second since its last report. */
export const arcFault: SensorKind = {
  kind: 'arc-fault',
  zh: '故障电弧探测器',
  en: 'Arc-fault monitor',
  metrics: [{ metric: 'arcs', valid: [0, 100_000], measuring: [0, 100] }],
  intervalMs: 60_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'arcs',
      class: 'early-warning',
      zh: '1 s 内故障电弧达到 14 个半周期',
      en: '14 arcing half-waves within 1 s',
      metric: 'arcs',
      direction: 'above',
      limit: 13,
      hysteresis: 5,
      forMs: 0,
      source: {
        zh: 'GB 14287.4-2014:1 s 内 14 个及以上故障电弧半周期应报警,9 个及以下不应报警(14 个一数待核对原文;9 个与 GB 31252-2014 §4.3.4 一致)',
        en: 'GB 14287.4-2014: alarm at 14 or more arcing half-waves within 1 s, none at 9 or fewer (the 14 yet to be checked against the text; the 9 as in GB 31252-2014 §4.3.4)',
      },
    },
    absence(5 * 60_000, SILENCE),
  ],
  simulate(random) {
    // Switches and brushes of hand tools spark a few times; the detector tells those from a fault most of the time.
    const sparks = createEpisodes(random, { perDay: 5, weight: activity, amplitude: [1, 5], minutes: [1, 10], tau: 2 });
    const noise = createNoise(random, 0.3, 60);
    return {
      sample({ hour, dt, disturbance }) {
        const fault = Math.max(0, disturbance.arcing ?? 0);
        const arcs = sparks(hour, dt) + noise(dt) + (fault > 0 ? fault + Math.sqrt(fault) * gaussian(random) : 0);
        // Mains has 100 half-waves a second.
        return { arcs: quantise(Math.min(100, Math.max(0, arcs)), 1) };
      },
      event: () => null,
    };
  },
};
