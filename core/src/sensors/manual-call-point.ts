import { between } from './parts/noise.ts';
import { createRadio, RADIO_METRICS } from './parts/radio.ts';
import { absence, BATTERY_ENDING, BATTERY_LOW, VERDICTS } from './parts/standing-rules.ts';
import { createVerdict } from './parts/verdict.ts';
import type { SensorKind } from './sensor.ts';

/** Manual call point: a person's verdict. */
export const manualCallPoint: SensorKind = {
  kind: 'manual-call-point',
  zh: '手动火灾报警按钮',
  en: 'Manual call point',
  metrics: RADIO_METRICS,
  intervalMs: 30 * 60_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    BATTERY_LOW,
    BATTERY_ENDING,
    absence(2 * 3_600_000, { zh: 'GB 50440:巡检周期不大于 2 h', en: 'GB 50440: poll period at most 2 h' }),
  ],
  simulate(random) {
    const radio = createRadio(random);
    // Someone sees a fire of a few hundred kW and runs to the button; it stays pressed until it is reset after the fire.
    const noticed = between(random, 150, 400);
    const pressed = createVerdict(
      { event: 'fire', restored: 'restored', detail: 'pressed' },
      between(random, 10, 40),
      900,
    );
    return {
      sample: radio.sample,
      event(input) {
        const kw = input.disturbance.fireKw ?? 0;
        return pressed.step(kw >= noticed, kw === 0, input.dt) ?? radio.event(input);
      },
    };
  },
};
