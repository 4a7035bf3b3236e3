import type { AlarmClass } from '../../model/event.ts';
import { EVENTS } from '../../model/event.ts';
import type { RuleDefinition } from '../../model/rule.ts';
import type { AbsenceRule, Source, ThresholdRule, VerdictRule } from '../sensor.ts';

/** What a device declares is taken as it is, whatever its kind: a fire nobody expected is a fire. */
export const VERDICTS: readonly VerdictRule[] = Object.entries(EVENTS).flatMap(([event, words]) =>
  'class' in words
    ? [
        {
          type: 'verdict' as const,
          id: event,
          event,
          class: words.class satisfies AlarmClass,
          zh: words.zh,
          en: words.en,
          source: { zh: '设备自身判定', en: "The device's own verdict" },
        },
      ]
    : [],
);

/** Silence for `afterMs` of listened time. */
export function absence(afterMs: number, source: Source): AbsenceRule {
  return { type: 'absence', id: 'absence', class: 'fault', zh: '设备失联', en: 'Device silent', afterMs, source };
}

/** Battery to be replaced soon; the device's own `low-battery` comes later. */
export const BATTERY_LOW: ThresholdRule = {
  type: 'threshold',
  id: 'battery-low',
  class: 'early-warning',
  zh: '电池电量低,请安排更换',
  en: 'Battery running low: plan its replacement',
  metric: 'battery',
  direction: 'below',
  limit: 20,
  hysteresis: 10,
  forMs: 0,
  source: {
    zh: '工程预设:早于设备自身欠压报警(GB 20517 要求欠压时发出提示)',
    en: 'Engineering preset, ahead of the low-battery signal GB 20517 asks of the device itself',
  },
};

/** A cell that drains faster than it should is told long before it is low. */
export const BATTERY_ENDING: RuleDefinition = {
  type: 'forecast',
  id: 'battery-ending',
  class: 'early-warning',
  zh: '预计 30 天内电池耗尽',
  en: 'Battery expected to be empty within 30 days',
  metric: 'battery',
  direction: 'below',
  limit: 10,
  withinMs: 30 * 86_400_000,
  windowMs: 14 * 86_400_000,
  confidence: 0.95,
  source: {
    zh: '工程预设:10 % 时设备自身报欠压;14 天趋势(Theil–Sen),95 % 置信',
    en: 'Engineering preset: at 10 % the device itself says low battery; Theil–Sen trend of 14 days at 95 % confidence',
  },
};

/** Upper end of the static response range of heat detectors of class A2: any of them would have responded by then. */
export const HEAT: ThresholdRule = {
  type: 'threshold',
  id: 'heat',
  class: 'fire',
  zh: '环境温度超过 70 °C',
  en: 'Air hotter than 70 °C',
  metric: 'temperature',
  direction: 'above',
  limit: 70,
  hysteresis: 10,
  forMs: 0,
  source: {
    zh: 'GB 4716-2005、EN 54-5:A2 类静态响应温度上限 70 °C',
    en: 'GB 4716 / EN 54-5, class A2: static response by 70 °C',
  },
};

export const SILENCE: Source = {
  zh: '按上报周期推算,严于 GB 50440 的 2 h 巡检周期',
  en: 'From the reporting interval; stricter than the 2 h poll of GB 50440',
};
