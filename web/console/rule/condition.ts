import {
  isAbsenceRule,
  isThresholdRule,
  isVerdictRule,
  metricWords,
  type ParameterOrigin,
  type RuleDefinition,
} from '@smart-fire/core';
import type { RuleKindRow } from '../api/types.ts';
import { quantity } from '../format/value.ts';
import { useWords } from '../ui/words.ts';
import { type Field, fieldsOf } from './fields.ts';

/** How many figures of a rule stand in one line. */
const FIGURES = 4;

/** Parameters and whole conditions of rules in words. */
export function useRuleWords() {
  const { t, te, said, passed } = useWords();

  function parameterText(field: Field, value: unknown, metric: unknown): string {
    if (value === undefined || value === null) return '—';
    if (field.kind === 'duration') return passed(value as number);
    if (field.kind === 'switch') return t(value ? 'rule.yes' : 'rule.no');
    if (typeof value === 'number') {
      if (field.unit === 'metric') return quantity(value, String(metric));
      return `${Number(value.toPrecision(6))} ${field.unit}`.trim();
    }
    if (field.kind === 'metric' || field.kind === 'metrics')
      return [value]
        .flat()
        .map((name) => said(metricWords(String(name))))
        .join(', ');
    if (field.kind === 'choice') return te(`choice.${value}`) ? t(`choice.${value}`) : String(value);
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  return {
    parameterText,
    /** A rule's condition in one line; a kind we have no sentence for says its first figures. */
    condition(rule: RuleDefinition, kind: RuleKindRow | undefined): string {
      if (isVerdictRule(rule)) return t('rule.verdict', { event: rule.event });
      if (isAbsenceRule(rule)) return t('rule.absence', { passed: passed(rule.afterMs) });
      if (isThresholdRule(rule)) {
        const line = `${said(metricWords(rule.metric))} ${rule.direction === 'above' ? '>' : '<'} ${quantity(rule.limit, rule.metric)}`;
        const held = rule.forMs > 0 ? t('rule.for', { passed: passed(rule.forMs) }) : '';
        const back = t('rule.hysteresis', { value: quantity(rule.hysteresis, rule.metric) });
        return [line, held, back].filter(Boolean).join(' · ');
      }
      if (!kind) return rule.type;
      const figures = fieldsOf(kind.schema)
        .filter(({ name, kind: sort }) => rule[name] !== undefined && sort !== 'json' && sort !== 'switch')
        .slice(0, FIGURES)
        .map((field) => `${said(field)} ${parameterText(field, rule[field.name], rule.metric)}`);
      return [`${said(kind)}`, ...figures].join(' · ');
    },
    originOf: (origin: ParameterOrigin) => (origin === 'rule' ? t('rule.own') : t(`scope.level.${origin}`)),
  };
}
