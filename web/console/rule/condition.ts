import {
  isAbsenceRule,
  isThresholdRule,
  isVerdictRule,
  metricWords,
  type ParameterOrigin,
  type RuleDefinition,
  type Schedule,
  type ScheduleWindow,
} from '@smart-fire/core';
import type { RuleKindRow } from '../api/types.ts';
import { number, quantity } from '../format/value.ts';
import { useWords } from '../ui/words.ts';
import { type Field, type FieldKind, fieldsOf } from './fields.ts';

const NAMELESS = new Set<FieldKind>(['metric', 'metrics', 'choice', 'list', 'text']);
/** How many figures of a rule stand in one line. */
const FIGURES = 4;

/** Parameters and whole conditions of rules in words. */
export function useRuleWords() {
  const { t, te, said, passed } = useWords();

  /** A unit as people write it; `metric` in it stands for the unit of the rule's metric. */
  function unitText({ unit, kind }: Field, metric: unknown): string {
    if (kind === 'duration') return '';
    if (te(`unitName.${unit}`)) return t(`unitName.${unit}`);
    return unit.replace('metric', metricWords(String(metric ?? '')).unit);
  }

  function parameterText(field: Field, value: unknown, metric: unknown): string {
    if (value === undefined || value === null) return '—';
    if (field.kind === 'duration') return passed(value as number);
    if (field.kind === 'switch') return t(value ? 'rule.yes' : 'rule.no');
    if (typeof value === 'number') return `${number(value)} ${unitText(field, metric)}`.trim();
    if (field.items && Array.isArray(value)) {
      const fields = fieldsOf(field.items);
      const row = (one: Record<string, unknown>) =>
        fields.map((part) => parameterText(part, one[part.name], one.metric ?? metric)).join(' ');
      return value.map(row).join('; ');
    }
    if (field.kind === 'metric' || field.kind === 'metrics')
      return [value]
        .flat()
        .map((name) => said(metricWords(String(name))))
        .join(', ');
    if (field.kind === 'choice') return te(`choice.${value}`) ? t(`choice.${value}`) : String(value);
    return typeof value === 'string' ? value : JSON.stringify(value);
  }

  function windowText({ days, from, to }: ScheduleWindow): string {
    const which = days.length === 7 ? t('schedule.daily') : days.map((day) => t(`day.${day}`)).join(' ');
    return `${which} ${from}–${to <= from ? `${t('schedule.nextDay')} ` : ''}${to}`;
  }

  return {
    parameterText,
    unitText,
    windowText,
    scheduleText: (schedule: Schedule | null) => schedule?.windows.map(windowText).join('; ') ?? t('schedule.always'),
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
        .filter(({ name, kind: sort }) => hasContent(rule[name]) && sort !== 'json' && sort !== 'switch')
        .slice(0, FIGURES)
        .map((field) => {
          const text = parameterText(field, rule[field.name], rule.metric);
          // These say themselves what they are.
          return NAMELESS.has(field.kind) ? text : `${said(field)} ${text}`;
        });
      return [`${said(kind)}`, ...figures].join(' · ');
    },
    originOf: (origin: ParameterOrigin) => (origin === 'rule' ? t('rule.own') : t(`scope.level.${origin}`)),
  };
}

/** A zero says no more than an empty list: there is nothing to tell. */
function hasContent(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}
