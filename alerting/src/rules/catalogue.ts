import type { RegisteredDevice, Registry, Rule } from '@smart-fire/core';
import { EffectiveRule } from './effective.ts';
import { ruleKind } from './kinds/index.ts';
import { fail, type LiveRule, makeVariant, type Variant } from './live-rule.ts';

/** What one metric's readings of a device feed. */
export interface Feed {
  variant: Variant;
  /** Index into the variant's inputs. */
  input: number;
}

/** All rules of a device; devices with the same rules share one. */
export interface Plan {
  index: number;
  variants: readonly Variant[];
  /** Rules on the device's silence. */
  silence: readonly Variant[];
  /** By the number of a metric; filled as they are met. */
  feeds: (readonly Feed[] | undefined)[];
}

const NO_RULES: Plan = { index: 0, variants: [], silence: [], feeds: [] };
const NO_FEEDS: readonly Feed[] = [];

/** The rules in force, and by device those that are its own: a reading meets only the rules on its own metric. */
export class RuleCatalogue {
  /** By index; undefined = free. */
  readonly variants: (Variant | undefined)[] = [];
  readonly plans: Plan[] = [NO_RULES];
  readonly #live = new Map<string, LiveRule>();
  #effective = new Map<LiveRule, EffectiveRule<Variant | null>>();
  /** By its variants; those of the rules before are found again while nothing of them has changed. */
  #plans = new Map<string, Plan>([['', NO_RULES]]);
  #plansBefore = new Map<string, Plan>();
  /** Rules by sensor kind; `plan` where all devices of the kind have the same. */
  #byKind = new Map<string, { rules: EffectiveRule<Variant | null>[]; plan: Plan | null }>();
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

  /** True when some rule asks which detector a reading comes from. */
  get needsDetectors(): boolean {
    return [...this.#effective.keys()].some(({ kind }) => kind.subject !== 'series' && kind.type !== 'absence');
  }

  /**
   * Takes these rules instead of those it had; a rule that is the same object keeps its variants. Plans are to be asked for anew; then call
   * the function returned, which forgets what is no longer used.
   */
  set(rules: readonly Rule[]): () => void {
    const before = this.#effective;
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
      Object.assign(live, { rule, kind });
      this.#live.set(rule.id, live);
      this.#effective.set(live, new EffectiveRule(rule, kind.subject, (inForce) => this.#make(live, inForce)));
    }
    this.#byKind = new Map();
    this.#plansBefore = this.#plans;
    this.#plans = new Map([['', NO_RULES]]);
    return () => {
      for (const rule of before.values())
        for (const variant of rule.made()) if (variant) this.variants[variant.index] = undefined;
      for (const [key, plan] of this.#plansBefore) if (!this.#plans.has(key)) this.plans[plan.index] = NO_RULES;
      this.#plansBefore = new Map();
      for (const [id, live] of this.#live) if (!this.#effective.has(live)) this.#live.delete(id);
    };
  }

  /** What some device has. */
  inForce(): Set<Variant> {
    return new Set([...this.#plans.values()].flatMap(({ variants }) => variants));
  }

  /** Places have changed: what a kind's devices have in common is found anew. */
  forgetPlaces(): void {
    this.#byKind = new Map();
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
  feedsOf(plan: Plan, metric: number, name: string): readonly Feed[] {
    const feeds = plan.variants.flatMap((variant) => {
      const input = variant.inputs.indexOf(name);
      return input < 0 ? [] : [{ variant, input }];
    });
    const found = feeds.length === 0 ? NO_FEEDS : feeds;
    for (let number = plan.feeds.length; number < metric; number++) plan.feeds[number] = undefined;
    plan.feeds[metric] = found;
    return found;
  }

  #intern(rules: readonly EffectiveRule<Variant | null>[], device: RegisteredDevice): Plan {
    const variants = rules
      .flatMap((rule) => rule.of(device, this.#registry) ?? [])
      .filter(({ mode }) => mode !== 'off');
    const key = variants.map(({ index }) => index).join(' ');
    let plan = this.#plans.get(key) ?? this.#plansBefore.get(key);
    if (!plan) {
      const free = this.plans.indexOf(NO_RULES, 1);
      const index = free < 0 ? this.plans.length : free;
      plan = { index, variants, silence: variants.filter(({ subject }) => subject === 'silence'), feeds: [] };
      this.plans[index] = plan;
    }
    this.#plans.set(key, plan);
    return plan;
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
