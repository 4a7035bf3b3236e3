import { createLag, createNoise, quantise } from './parts/noise.ts';
import { createRoom } from './parts/room.ts';
import { absence, SILENCE, VERDICTS } from './parts/standing-rules.ts';
import { createVerdict } from './parts/verdict.ts';
import type { SensorKind } from './sensor.ts';

/** Water per open sprinkler head (80 L/min, L/s). */
const HEAD = 80 / 60;
/** Flow at which the paddle must answer (37.5 L/min, L/s). */
const PADDLE = 0.625;

/** Flow switch of a sprinkler branch: water moving in it means that a head has opened or a pipe has burst. */
export const flowSwitch: SensorKind = {
  kind: 'flow-switch',
  zh: '水流指示器',
  en: 'Sprinkler flow switch',
  metrics: [{ metric: 'flow', valid: [-50, 500], measuring: [0, 50] }],
  intervalMs: 5 * 60_000,
  alertIntervalMs: 5_000,
  rules: [
    ...VERDICTS,
    {
      type: 'threshold',
      id: 'flow',
      class: 'supervisory',
      zh: '喷淋支管流量超过 37.5 L/min',
      en: 'Sprinkler branch flow above 37.5 L/min',
      metric: 'flow',
      direction: 'above',
      limit: PADDLE,
      hysteresis: 0.2,
      forMs: 10_000,
      source: {
        zh: 'GB 5135.7:水流指示器动作流量 15 至 37.5 L/min(数值待核对原文)',
        en: 'GB 5135.7: a flow switch acts between 15 and 37.5 L/min (figures yet to be checked against the text)',
      },
    },
    absence(30 * 60_000, SILENCE),
  ],
  simulate(random) {
    const room = createRoom(random);
    const bulb = createLag(60, 25);
    const noise = createNoise(random, 0.01, 30);
    // The retard chamber of the paddle keeps pressure surges from being fires.
    const fire = createVerdict({ event: 'fire', restored: 'restored', detail: 'waterflow' }, 20);
    let headsOpen = 0;
    let flow = 0;
    return {
      sample(input) {
        const { dt, disturbance } = input;
        bulb.step(room(input).temperature, dt);
        if (bulb.value >= 68) headsOpen = Math.min(4, headsOpen + 1);
        if ((disturbance.fireKw ?? 0) === 0 && bulb.value < 40) headsOpen = 0;
        // A burst branch: 5 L/s at full loss of pressure.
        flow = headsOpen * HEAD + 5 * Math.max(0, disturbance.pressureLoss ?? 0);
        return { flow: quantise(Math.max(0, flow + noise(dt)), 100) };
      },
      event: ({ dt }) => fire.step(flow >= PADDLE, flow < PADDLE / 2, dt),
    };
  },
};
