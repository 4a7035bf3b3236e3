import { SCOPE_LEVELS, type Scope, type ScopeLevel } from './model/rule.ts';
import type { Registry } from './registry.ts';

/** The narrowest place a scope names; null = everywhere. */
export function placeOf(scope: Scope): { level: ScopeLevel; id: string } | null {
  for (const level of SCOPE_LEVELS) {
    const id = scope[level];
    if (id !== undefined) return { level, id };
  }
  return null;
}

/** `/area/…/site/` of one place (a zone's and a device's is that of its site); undefined when there is no such place. */
export function pathOfPlace(level: ScopeLevel, id: string, registry: Registry): string | undefined {
  if (level === 'area') return registry.areas.get(id)?.path;
  if (level === 'site') return registry.sites.get(id)?.path;
  if (level === 'device') return registry.devices.get(id)?.path;
  return registry.sites.get(registry.zones.get(id)?.site ?? '')?.path;
}

/** Below which path a scope acts. A place that is no more belongs to those who hold the whole tree. */
export function pathOfScope(scope: Scope, registry: Registry): string {
  const place = placeOf(scope);
  return place === null ? '/' : (pathOfPlace(place.level, place.id, registry) ?? '/');
}

/** True when something at `path` concerns who holds `scope`: it lies in his area, or his area lies in it. */
export function concerns(path: string, scope: string): boolean {
  return path.startsWith(scope) || scope.startsWith(path);
}

/** True when there is such a place and it concerns who holds `scope`: what lies elsewhere does not exist for him. */
export function isSeen(level: ScopeLevel, id: string, scope: string, registry: Registry): boolean {
  const path = pathOfPlace(level, id, registry);
  return path !== undefined && concerns(path, scope);
}

/** True when every device of `inner` may also be one of `outer`; both of places that exist. */
export function lieWithin(inner: Scope, outer: Scope, registry: Registry): boolean {
  if (!pathOfScope(inner, registry).startsWith(pathOfScope(outer, registry))) return false;
  if (outer.device !== undefined) return inner.device === outer.device;
  if (outer.zone === undefined) return true;
  const zone = inner.device === undefined ? inner.zone : registry.devices.get(inner.device)?.zone;
  return zone === outer.zone;
}
