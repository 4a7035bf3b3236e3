import { habit } from './parts/habit.ts';
import { between, createNoise, quantise } from './parts/noise.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind, Source } from './sensor.ts';

const LEVELS: Source = {
  zh: 'GB 50974-2014 §4.3.9:消防水池应设最高和最低报警水位;数值按 3 m 水池预设,请按现场修改',
  en: 'GB 50974-2014 §4.3.9 asks for a highest and a lowest alarm level; the figures are for a 3 m tank, set them for yours',
};

/** Level of a fire-water tank of 3 m, topped up by a float valve. */
export const tankLevel: SensorKind = {
  kind: 'tank-level',
  zh: '消防水箱液位监测',
  en: 'Fire-water tank level',
  metrics: [{ metric: 'level', valid: [-1, 50], measuring: [0, 10] }],
  intervalMs: 10 * 60_000,
  alertIntervalMs: 60_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'level-low',
      class: 'supervisory',
      zh: '水位低于 1.5 m',
      en: 'Water level below 1.5 m',
      metric: 'level',
      direction: 'below',
      limit: 1.5,
      hysteresis: 0.1,
      forMs: 60_000,
      source: LEVELS,
    },
    {
      type: 'threshold',
      id: 'level-high',
      class: 'supervisory',
      zh: '水位高于 2.9 m,可能溢流',
      en: 'Water level above 2.9 m: may overflow',
      metric: 'level',
      direction: 'above',
      limit: 2.9,
      hysteresis: 0.1,
      forMs: 60_000,
      source: LEVELS,
    },
    {
      type: 'forecast',
      id: 'level-trend',
      class: 'supervisory',
      zh: '预计 2 h 内水位降至 1.5 m',
      en: 'Water level expected to fall to 1.5 m within 2 h',
      metric: 'level',
      direction: 'below',
      limit: 1.5,
      withinMs: 2 * 3_600_000,
      windowMs: 2 * 3_600_000,
      confidence: 0.9,
      source: LEVELS,
    },
    habit('level', 'supervisory', 10 * 60_000),
    absence(3_600_000, SILENCE),
  ],
  simulate(random) {
    const full = between(random, 2.4, 2.6);
    const low = full - between(random, 0.08, 0.15);
    // Evaporation and weeping valves; the float valve opens at `low` and fills 0.4 m/h.
    const use = between(random, 0.01, 0.03) / 3600;
    const FILL = 0.4 / 3600;
    const ripple = createNoise(random, 0.004, 15);
    let level = between(random, low, full);
    let filling = false;
    return {
      sample({ dt, disturbance }) {
        // A leak of 1 empties the tank by 1 m/h, more than the float valve brings.
        const leak = Math.max(0, disturbance.pressureLoss ?? 0) / 3600;
        // Small steps: valve switching within a long interval is part of the physics.
        for (let rest = dt; rest > 0; rest -= 300) {
          const step = Math.min(300, rest);
          if (level <= low) filling = true;
          if (level >= full) filling = false;
          const inflow = filling && !disturbance.pumpStopped ? FILL : 0;
          // With the supply stopped the tank feeds the hose reels and toilets it was never meant for.
          const draw = disturbance.pumpStopped ? 0.25 / 3600 : use;
          level = Math.min(full + 0.01, Math.max(0, level + (inflow - draw - leak) * step));
        }
        return { level: quantise(Math.max(0, level + ripple(dt)), 1000) };
      },
      event: () => null,
    };
  },
};
