import { arcFault } from './arc-fault.ts';
import { cableTemperature } from './cable-temperature.ts';
import { coDetector } from './co-detector.ts';
import { electricalLoad } from './electrical-load.ts';
import { flowSwitch } from './flow-switch.ts';
import { gasDetector } from './gas-detector.ts';
import { gateway } from './gateway.ts';
import { heatDetector } from './heat-detector.ts';
import { hydrantPressure } from './hydrant-pressure.ts';
import { manualCallPoint } from './manual-call-point.ts';
import { residualCurrent } from './residual-current.ts';
import type { SensorKind } from './sensor.ts';
import { smokeAlarm } from './smoke-alarm.ts';
import { smokeDetector } from './smoke-detector.ts';
import { sprinklerPressure } from './sprinkler-pressure.ts';
import { tankLevel } from './tank-level.ts';

export { PRESETS, presetRules } from '../presets/index.ts';
export { seeded } from './parts/noise.ts';
export { chinaHour } from './parts/rhythm.ts';
export type * from './sensor.ts';

/** Every kind of sensor the platform knows, in the order people are offered them. */
export const SENSOR_KINDS: readonly SensorKind[] = [
  smokeDetector,
  smokeAlarm,
  heatDetector,
  coDetector,
  gasDetector,
  manualCallPoint,
  hydrantPressure,
  sprinklerPressure,
  tankLevel,
  flowSwitch,
  residualCurrent,
  cableTemperature,
  electricalLoad,
  arcFault,
  gateway,
];

const byName = new Map(SENSOR_KINDS.map((kind) => [kind.kind, kind]));

export function getSensorKind(kind: string): SensorKind | undefined {
  return byName.get(kind);
}
