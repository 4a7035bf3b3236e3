import type { Rule } from '../model/rule.ts';
import type { SensorKind } from '../sensors/sensor.ts';
import { BASELINE } from './baseline.ts';
import { FIRE_FUSION } from './fire-fusion.ts';
import { MULTIVARIATE_HEALTH } from './multivariate-health.ts';

/** Presets that are not tied to one kind of sensor, in the order people are offered them. A new one is one file and one line here. */
export const PRESETS: readonly Rule[] = [FIRE_FUSION, MULTIVARIATE_HEALTH, BASELINE];

/** Every rule we ship, as shipped: those of the sensor kinds, then the general ones. */
export function presetRules(kinds: readonly SensorKind[], general: readonly Rule[] = PRESETS): Rule[] {
  const own = kinds.flatMap(({ kind, rules }) =>
    rules.map(
      (definition): Rule => ({
        ...{ id: `preset:${kind}:${definition.id}`, version: 1, definition, scope: { kinds: [kind] } },
        ...{ mode: 'on', schedule: null, preset: true, overrides: [] },
      }),
    ),
  );
  return [...own, ...general];
}
