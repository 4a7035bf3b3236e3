import type { AlarmClass } from '../../model/event.ts';
import type { Metric } from '../../model/metrics.ts';
import type { RuleDefinition } from '../../model/rule.ts';

const WEEK = 7 * 86_400_000;

/** Departure of a metric that comes every `intervalMs` from the device's own daily and weekly habit; quiet enough for a county of devices. */
export function habit(metric: Metric, alarmClass: AlarmClass, intervalMs: number): RuleDefinition {
  return {
    type: 'baseline',
    id: 'habit',
    class: alarmClass,
    zh: '偏离自身习惯',
    en: 'Departure from its own habit',
    metric,
    rareDays: 10_000,
    warmUp: WEEK / intervalMs,
    learn: true,
    source: {
      zh: '工程预设:按该测点自身历史判定;模拟县域中每千台·天误预警少于 1 次',
      en: "Engineering preset: judged by the series' own past; fewer than 1 false early warning per 1,000 device-days in a simulated county",
    },
  };
}
