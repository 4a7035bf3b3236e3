import { isThresholdRule, type RuleDefinition, type RuleView, type SensorKind } from '@smart-fire/core';
import { ruleKind } from './kinds/index.ts';
import type { RuleKind } from './kinds/kind.ts';

/** A rule in force, with what has gone wrong in it. */
export interface Rule {
  /** Dense, for typed arrays. */
  index: number;
  /** `preset:{sensor kind}:{id}` */
  id: string;
  definition: RuleDefinition;
  kind: RuleKind;
  /** Numbers of state of one slot. */
  size: number;
  /** How often it threw, and what it said last. */
  errors: number;
  lastError: string;
}

/** The rules in force by sensor kind: a reading meets only those of its own device's kind and of its metric. */
export class RuleCatalogue {
  readonly all: Rule[] = [];
  readonly #metrics = new Map<string, Map<string, Rule[]>>();
  readonly #absence = new Map<string, Rule>();

  constructor(sensorKinds: readonly SensorKind[]) {
    for (const { kind, rules } of sensorKinds) {
      const byMetric = new Map<string, Rule[]>();
      this.#metrics.set(kind, byMetric);
      for (const definition of rules) {
        const implementation = ruleKind(definition.type)!;
        implementation.params.parse(definition);
        const rule: Rule = {
          index: this.all.length,
          id: `preset:${kind}:${definition.id}`,
          definition,
          kind: implementation,
          size: implementation.stateSize(definition),
          errors: 0,
          lastError: '',
        };
        this.all.push(rule);
        if (isThresholdRule(definition)) {
          const ofMetric = byMetric.get(definition.metric) ?? [];
          byMetric.set(definition.metric, [...ofMetric, rule]);
        }
        if (definition.type === 'absence') this.#absence.set(kind, rule);
      }
    }
  }

  ofMetric(sensorKind: string, metric: string): readonly Rule[] {
    return this.#metrics.get(sensorKind)?.get(metric) ?? [];
  }

  /** One per sensor kind: a device is silent or it is not. */
  absenceOf(sensorKind: string): Rule | undefined {
    return this.#absence.get(sensorKind);
  }

  views(): RuleView[] {
    return this.all.map(({ id, definition }) => ({ id, kind: id.split(':')[1]!, definition }));
  }
}
