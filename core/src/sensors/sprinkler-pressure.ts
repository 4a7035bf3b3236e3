import { habit } from './parts/habit.ts';
import { between, createLag, createNoise, quantise } from './parts/noise.ts';
import { createRoom } from './parts/room.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import type { SensorKind } from './sensor.ts';

/** Pressure at the worst point of a wet sprinkler system, held by a jockey pump. */
export const sprinklerPressure: SensorKind = {
  kind: 'sprinkler-pressure',
  zh: '喷淋水压监测',
  en: 'Sprinkler pressure',
  metrics: [{ metric: 'pressure', valid: [-100, 10_000], measuring: [0, 2500] }],
  intervalMs: 60_000,
  alertIntervalMs: 10_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'pressure-low',
      class: 'supervisory',
      zh: '喷淋最不利点静水压力低于 0.10 MPa',
      en: 'Sprinkler worst-point pressure below 0.10 MPa',
      metric: 'pressure',
      direction: 'below',
      limit: 100,
      hysteresis: 20,
      forMs: 60_000,
      source: {
        zh: 'GB 50974-2014 §5.2.2:喷淋系统不应小于 0.10 MPa',
        en: 'GB 50974-2014 §5.2.2: sprinkler systems at least 0.10 MPa',
      },
    },
    {
      type: 'forecast',
      id: 'pressure-trend',
      class: 'supervisory',
      zh: '预计 1 h 内喷淋压力降至 0.10 MPa',
      en: 'Sprinkler pressure expected to fall to 0.10 MPa within 1 h',
      metric: 'pressure',
      direction: 'below',
      limit: 100,
      withinMs: 3_600_000,
      windowMs: 15 * 60_000,
      confidence: 0.95,
      source: {
        zh: 'GB 50974-2014 §5.2.2:喷淋系统不应小于 0.10 MPa;15 min 趋势(工程预设)',
        en: 'GB 50974-2014 §5.2.2: sprinkler systems at least 0.10 MPa; trend of 15 min (engineering preset)',
      },
    },
    habit('pressure', 'supervisory', 60_000),
    absence(5 * 60_000, SILENCE),
  ],
  simulate(random) {
    const room = createRoom(random);
    const bulb = createLag(60, 25);
    const cutIn = between(random, 260, 320);
    const cutOut = cutIn + between(random, 50, 80);
    // A tight system loses a few kPa an hour; the jockey pump makes that up in less than a minute.
    const seepage = between(random, 2, 8) / 3600;
    const tremor = createNoise(random, 1.5, 20);
    let pressure = between(random, cutIn, cutOut);
    let headsOpen = 0;
    return {
      sample(input) {
        const { dt, disturbance } = input;
        // Bulbs of 68 °C burst one after another and stay open until the fire is over and they are replaced.
        bulb.step(room(input).temperature, dt);
        if (bulb.value >= 68) headsOpen = Math.min(4, headsOpen + 1);
        if ((disturbance.fireKw ?? 0) === 0 && bulb.value < 40) headsOpen = 0;
        const loss = Math.min(1, Math.max(0, disturbance.pressureLoss ?? 0));
        if (disturbance.pumpStopped) {
          // Without its pump the pipe empties through the same seepage, faster as valves and joints cool and drain.
          pressure *= Math.exp(-dt / 1500);
        } else {
          const span = cutOut - cutIn;
          // Sawtooth between cut-in and cut-out, exact for any dt; back from a stopped pump it refills.
          const fallen = (cutOut - pressure + seepage * dt) % span;
          pressure = pressure < cutIn ? Math.min(cutOut, pressure + 2 * dt) : cutOut - fallen;
        }
        const shown = pressure * (1 - loss) * (1 - 0.18 * headsOpen) + tremor(dt);
        return { pressure: quantise(Math.max(0, shown), 1) };
      },
      event: () => null,
    };
  },
};
