import type { RegisteredDevice, Registry, Rule } from '@smart-fire/core';
import { EffectiveRule } from './effective.ts';
import { ruleKind } from './kinds/index.ts';
import { fail, type LiveRule, makeVariant, type Variant } from './live-rule.ts';

/** A rule that readings of a metric feed. */
export interface Feed {
  variant: Variant;
  /** Index into the variant's inputs. */
  input: number;
}

/** All that readings of one metric feed; values from `low` to `high` leave each of it fresh that is. */
export interface Feeds {
  feeds: readonly Feed[];
  low: number;
  high: number;
}

/** All rules of a device; devices of a kind with the same rules share one. */
export interface Plan {
  index: number;
  kind: string;
  /** Its variants' indices in words: plans with the same have the same rules. */
  key: string;
  /** Rules or places have changed: whoever has it is to ask for another. */
  stale: boolean;
  variants: readonly Variant[];
  /** Rules on the device's silence. */
  silence: readonly Variant[];
  /** True when some rule is on zones, and when some rule asks which detector a reading comes from. */
  zoned: boolean;
  detectors: boolean;
  /** By the number of a metric; filled as they are met. */
  feeds: (Feeds | undefined)[];
}

/** Of devices that are disabled or gone. */
const NO_RULES = makePlan(0, '', '', []);

/** The rules in force, and by device those that are its own: a reading meets only the rules on its own metric. */
export class RuleCatalogue {
  /** By index; undefined = free. */
  readonly variants: (Variant | undefined)[] = [];
  readonly plans: Plan[] = [NO_RULES];
  readonly #live = new Map<string, LiveRule>();
  #effective = new Map<LiveRule, EffectiveRule<Variant | null>>();
  /** Rules that were in force, until nobody has them any more. */
  readonly #retired: EffectiveRule<Variant | null>[] = [];
  /** Those that are not stale, by sensor kind and variants. */
  readonly #plans = new Map<string, Plan>();
  /** Rules by sensor kind; `plan` where all devices of the kind have the same. */
  readonly #byKind = new Map<string, { rules: EffectiveRule<Variant | null>[]; plan: Plan | null }>();
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  all(): readonly LiveRule[] {
    return [...this.#effective.keys()];
  }

  get(id: string): LiveRule | undefined {
    return this.#live.get(id);
  }

  /** True when what a device's rules are may depend on where it is. */
  get placed(): boolean {
    return [...this.#effective.values()].some((rule) => rule.placed);
  }

  /**
   * Takes these rules instead of those it had; a rule that is the same object keeps its variants. Plans of the kinds that a changed rule is for
   * are stale from now on; when nobody has one any more, `forget`.
   */
  set(rules: readonly Rule[]): void {
    const before = this.#effective;
    const changed: Rule[] = [];
    this.#effective = new Map();
    for (const rule of rules) {
      const kind = ruleKind(rule.definition.type);
      // What a device declares itself is no matter of rules: it acts on arrival, whatever anybody has set.
      if (!kind || kind.type === 'verdict') continue;
      const known = this.#live.get(rule.id);
      const live = known ?? { id: rule.id, rule, kind, errors: 0, lastError: '' };
      const unchanged = known?.rule === rule ? before.get(live) : undefined;
      if (unchanged) {
        this.#effective.set(live, unchanged);
        before.delete(live);
        continue;
      }
      changed.push(rule);
      Object.assign(live, { rule, kind });
      this.#live.set(rule.id, live);
      this.#effective.set(live, new EffectiveRule(rule, kind.subject, (inForce) => this.#make(live, inForce)));
    }
    for (const one of before.values()) {
      changed.push(one.rule);
      this.#retired.push(one);
      for (const variant of one.made()) if (variant) variant.retired = true;
    }
    this.#outdate((kind) => changed.some(({ scope }) => scope.kinds?.includes(kind) ?? true));
  }

  /** Places have changed: which rules a device has is found anew where that depends on them. */
  forgetPlaces(): void {
    this.#outdate((kind) => this.#byKind.get(kind)?.plan === null);
  }

  /** Nobody has a plan or variant any more that is out of date: their numbers may be used again. */
  forget(): void {
    for (const rule of this.#retired.splice(0))
      for (const variant of rule.made()) if (variant) this.variants[variant.index] = undefined;
    for (const { index, stale } of this.plans) if (stale) this.plans[index] = NO_RULES;
    for (const [id, live] of this.#live) if (!this.#effective.has(live)) this.#live.delete(id);
  }

  /** What some device has. */
  inForce(): Set<Variant> {
    return new Set([...this.#plans.values()].flatMap(({ variants }) => variants));
  }

  /** What takes the place of a device's plan; the device is looked up only where rules name places. */
  renewed(plan: Plan, id: string): Plan {
    const ofKind = this.#byKind.get(plan.kind)?.plan;
    if (ofKind) return ofKind;
    const device = this.#registry.devices.get(id);
    return device ? this.planOf(device) : NO_RULES;
  }

  planOf(device: RegisteredDevice): Plan {
    if (device.disabled) return NO_RULES;
    let ofKind = this.#byKind.get(device.kind);
    if (!ofKind) {
      const rules = [...this.#effective].filter(([{ rule }]) => rule.scope.kinds?.includes(device.kind) ?? true);
      const effective = rules.map(([, one]) => one);
      ofKind = { rules: effective, plan: null };
      if (effective.every(({ placed }) => !placed)) ofKind.plan = this.#intern(effective, device);
      this.#byKind.set(device.kind, ofKind);
    }
    return ofKind.plan ?? this.#intern(ofKind.rules, device);
  }

  /** The variant of a rule for a device, null when it is not for it or off. */
  variantOf(live: LiveRule, device: RegisteredDevice): Variant | null {
    return this.planOf(device).variants.find((variant) => variant.live === live) ?? null;
  }

  /** What readings of a metric (number and name) feed. */
  feedsOf(plan: Plan, metric: number, name: string): Feeds {
    const feeds = plan.variants.flatMap((variant) => {
      const input = variant.inputs.indexOf(name);
      return input < 0 ? [] : [{ variant, input }];
    });
    // One that has no quiet values leaves none.
    const quiet = feeds.map(({ variant: { kind, definition } }) => kind.quiet?.(definition) ?? [NaN, NaN]);
    const low = Math.max(-Infinity, ...quiet.map(([from]) => from!));
    const high = Math.min(Infinity, ...quiet.map(([, to]) => to!));
    for (let number = plan.feeds.length; number < metric; number++) plan.feeds[number] = undefined;
    const found = { feeds, low, high };
    plan.feeds[metric] = found;
    return found;
  }

  #intern(rules: readonly EffectiveRule<Variant | null>[], device: RegisteredDevice): Plan {
    const variants = rules
      .flatMap((rule) => rule.of(device, this.#registry) ?? [])
      .filter(({ mode }) => mode !== 'off');
    const key = variants.map(({ index }) => index).join(' ');
    const kindAndKey = `${device.kind} ${key}`;
    let plan = this.#plans.get(kindAndKey);
    if (!plan) {
      const free = this.plans.indexOf(NO_RULES, 1);
      plan = makePlan(free < 0 ? this.plans.length : free, device.kind, key, variants);
      this.plans[plan.index] = plan;
      this.#plans.set(kindAndKey, plan);
    }
    return plan;
  }

  #outdate(which: (kind: string) => boolean): void {
    for (const [kindAndKey, plan] of this.#plans) {
      if (!which(plan.kind)) continue;
      plan.stale = true;
      this.#plans.delete(kindAndKey);
    }
    for (const kind of [...this.#byKind.keys()].filter(which)) this.#byKind.delete(kind);
  }

  #make(live: LiveRule, inForce: Pick<Rule, 'definition' | 'mode' | 'schedule'>): Variant | null {
    const free = this.variants.indexOf(undefined);
    const index = free < 0 ? this.variants.length : free;
    try {
      const variant = makeVariant(index, live, inForce);
      this.variants[index] = variant;
      return variant;
    } catch (error) {
      fail(live, error);
      return null;
    }
  }
}

function makePlan(index: number, kind: string, key: string, variants: readonly Variant[]): Plan {
  return {
    ...{ index, kind, key, variants, stale: false, feeds: [] },
    silence: variants.filter(({ subject }) => subject === 'silence'),
    zoned: variants.some(({ subject }) => subject === 'zone'),
    detectors: variants.some(({ subject }) => subject === 'zone' || subject === 'device'),
  };
}
