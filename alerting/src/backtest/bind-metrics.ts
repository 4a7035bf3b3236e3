import { FireError, type Rule, Words } from '@smart-fire/core';
import { ruleKind } from '../rules/kinds/index.ts';

/** Where metrics are looked for, and what to do when the rule's are not among them. */
const RECORDING = {
  place: new Words('数据中', 'in the recording'),
  mend: new Words('请指明列对应的指标:--values 列=指标。', 'Name the columns: --values COLUMN=metric.'),
};
export const HISTORY = {
  place: new Words('该设备的历史数据中', 'in what is stored of the device'),
  mend: new Words(
    '请选择上报该指标的设备,或修改规则的指标。',
    'Choose a device that reports it, or another metric for the rule.',
  ),
};

/**
 * The rule as it is run over these metrics. A rule that names no metrics of its own (an empty `metrics`, a `metric` of '') takes those of the
 * recording: all of them together, or one rule for each. Throws FIRE_BACKTEST_METRICS for one that reads none of them.
 */
export function bindMetrics(rule: Rule, found: readonly string[], where = RECORDING): Rule[] {
  const metrics = [...new Set(found)];
  const { definition } = rule;
  if (Array.isArray(definition.metrics) && definition.metrics.length === 0)
    return [{ ...rule, definition: { ...definition, metrics } }];
  if (definition.metric === '')
    return metrics.map((metric) => ({
      ...{ ...rule, id: metrics.length === 1 ? rule.id : `${rule.id}:${metric}` },
      definition: { ...definition, metric },
    }));
  const wanted = inputsOf(rule);
  const heard = ruleKind(definition.type)?.subject === 'device' && wanted.length === 0 && definition.type !== 'verdict';
  if (!heard && !wanted.some((metric) => metrics.includes(metric)))
    throw new FireError('FIRE_BACKTEST_METRICS', {
      rule: rule.id,
      wanted: named(wanted, new Words('(无指标)', 'no metric')),
      found: named(metrics, new Words('(无数据)', 'nothing')),
      ...where,
    });
  return [rule];
}

/** Sentences on what the rule reads and is not there, and on columns that were `given` for it and it does not read. */
export function unboundMetrics(rules: readonly Rule[], found: readonly string[], given: boolean): Words[] {
  const wanted = new Set(rules.flatMap(inputsOf));
  if (wanted.size === 0) return [];
  const missing = [...wanted].filter((metric) => !found.includes(metric));
  const unread = [...new Set(found)].filter((metric) => !wanted.has(metric));
  return [
    ...(missing.length > 0 ? [absent(missing.join(', '))] : []),
    ...(given && unread.length > 0 ? [ignored(unread.join(', '))] : []),
  ];
}

const absent = (metrics: string) =>
  new Words(`规则还需要 ${metrics},但没有数据`, `the rule also reads ${metrics}, which is not there`);
const ignored = (metrics: string) => new Words(`规则不使用 ${metrics}`, `the rule does not read ${metrics}`);

function named(metrics: readonly string[], none: Words): Words {
  const list = metrics.join(', ');
  return list === '' ? none : new Words(` ${list}`, list);
}

export function inputsOf({ definition }: Rule): readonly string[] {
  return ruleKind(definition.type)?.inputs(definition) ?? [];
}
