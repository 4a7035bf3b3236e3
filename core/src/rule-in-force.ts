import type { Device } from './model/place.ts';
import {
  type Override,
  type ParameterOrigin,
  type Rule,
  type RuleDefinition,
  type RuleMode,
  SCOPE_LEVELS,
  type Schedule,
  type Scope,
} from './model/rule.ts';
import type { Registry } from './registry.ts';
import { placeOf } from './scope-path.ts';

/** A rule as it is for one device: its overrides resolved. */
export interface RuleInForce {
  rule: string;
  mode: RuleMode;
  schedule: Schedule | null;
  definition: RuleDefinition;
  /** Where each changed parameter (or mode, schedule) comes from; what is not named is the rule's own. */
  from: Record<string, ParameterOrigin>;
}

/** True when the device is one of the scope's: all that is given must match. */
export function scopeHas(scope: Scope, device: Device, registry: Registry): boolean {
  const { kinds, area, site, zone, device: one } = scope;
  if (kinds !== undefined && !kinds.includes(device.kind)) return false;
  if (one !== undefined && one !== device.id) return false;
  if (zone !== undefined && zone !== device.zone) return false;
  if (site !== undefined && site !== device.site) return false;
  if (area === undefined) return true;
  const below = registry.areas.get(area)?.path;
  return below !== undefined && (registry.sites.get(device.site)?.path ?? '').startsWith(below);
}

/** The rule for this device, the most specific override of each parameter first; null when it is not for this device. */
export function ruleInForce(rule: Rule, device: Device, registry: Registry): RuleInForce | null {
  if (!scopeHas(rule.scope, device, registry)) return null;
  const { id, definition, mode, schedule } = rule;
  const inForce: RuleInForce = { rule: id, mode, schedule, definition, from: {} };
  const matching = rule.overrides.filter((one) => scopeHas(one.scope, device, registry));
  if (matching.length === 0) return inForce;
  const parameters: Record<string, unknown> = {};
  for (const one of matching.sort((a, b) => rank(a, registry) - rank(b, registry))) {
    const { level } = placeOf(one.scope)!;
    for (const [name, value] of Object.entries(one.changes)) {
      if (name === 'mode') inForce.mode = value as RuleMode;
      else if (name === 'schedule') inForce.schedule = value as Schedule | null;
      else parameters[name] = value;
      inForce.from[name] = level;
    }
  }
  return { ...inForce, definition: { ...definition, ...parameters } };
}

/** Ascends with how specific an override is: areas by their depth, then site, zone, device. */
function rank({ scope }: Override, registry: Registry): number {
  const { level, id } = placeOf(scope)!;
  if (level === 'area') return (registry.areas.get(id)?.path.split('/').length ?? 0) - 1000;
  return -SCOPE_LEVELS.indexOf(level);
}
