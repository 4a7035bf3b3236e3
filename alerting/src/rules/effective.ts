import { type Device, type Override, placeOf, type Registry, type Rule, ruleInForce, scopeHas } from '@smart-fire/core';

/** A rule's definition, mode and schedule as some devices have them. */
export type InForce = Pick<Rule, 'definition' | 'mode' | 'schedule'>;

/** Whose the state of a rule is; what a zone has in common is no matter of one device in it. */
export type SubjectKind = 'series' | 'device' | 'zone';

/**
 * One rule for any device: overrides are found by the places the device lies in, and devices with the same overrides share one result, so that
 * a million devices without any share one. Pure but for the registry it looks places up in.
 */
export class EffectiveRule<Variant> {
  readonly rule: Rule;
  readonly #subject: SubjectKind;
  readonly #make: (inForce: InForce) => Variant;
  readonly #byPlace = new Map<string, Override>();
  readonly #made = new Map<string, Variant>();

  constructor(rule: Rule, subject: SubjectKind, make: (inForce: InForce) => Variant) {
    this.rule = rule;
    this.#subject = subject;
    this.#make = make;
    for (const override of rule.overrides) {
      const place = placeOf(override.scope);
      if (place) this.#byPlace.set(`${place.level} ${place.id}`, override);
    }
  }

  /** False when every device of a kind has the same: neither scope nor overrides name places. */
  get placed(): boolean {
    return this.#byPlace.size > 0 || placeOf(this.rule.scope) !== null;
  }

  /** null when the rule is not for the device. */
  of(device: Device, registry: Registry): Variant | null {
    if (!scopeHas(this.rule.scope, device, registry)) return null;
    const shared = this.#subject === 'zone' && device.zone !== null;
    const key = this.#byPlace.size === 0 ? '' : this.#overridesOf(device, shared, registry);
    let variant = this.#made.get(key);
    if (variant === undefined) {
      // Every override in the key has the device's places, so what is resolved for it holds for all that share the key.
      const seen = shared ? { ...device, id: '' } : device;
      const { definition, mode, schedule } = ruleInForce({ ...this.rule, scope: {} }, seen, registry)!;
      variant = this.#make({ definition, mode, schedule });
      this.#made.set(key, variant);
    }
    return variant;
  }

  /** Everything that was asked for so far. */
  made(): Iterable<Variant> {
    return this.#made.values();
  }

  #overridesOf({ id, zone, site }: Device, shared: boolean, registry: Registry): string {
    // A site's path is that of its area and its own id, an area's the ids of all above it.
    const areas = (registry.sites.get(site)?.path ?? '').split('/').slice(1, -2);
    const places = [...areas.map((area) => `area ${area}`), `site ${site}`];
    if (zone !== null) places.push(`zone ${zone}`);
    if (!shared) places.push(`device ${id}`);
    return places.flatMap((place) => this.#byPlace.get(place)?.id ?? []).join(' ');
  }
}
