import { metricWords, type ThresholdRule } from '@smart-fire/core';
import { z } from 'zod';
import { duration } from './duration.ts';
import { ARM, CLEAR, NOTHING, RAISE, type RuleKind } from './kind.ts';

/** Offsets: reading time since when the value is beyond the limit (NaN = it is not, Infinity = raised), when to confirm, last value (beyond, while raised). */
const SINCE = 0;
const DUE = 1;
const VALUE = 2;

/**
 * A limit with hysteresis and minimum duration. The duration is measured in the readings' own time and, for sensors that report
 * by exception and say nothing while nothing changes, confirmed by listened time: a value that stays beyond the limit raises.
 */
export const threshold: RuleKind<ThresholdRule> = {
  type: 'threshold',
  zh: '限值',
  en: 'Threshold',
  params: z.object({
    metric: z.string().min(1).meta({ zh: '指标', en: 'Metric', unit: '' }),
    direction: z.enum(['above', 'below']).meta({ zh: '方向', en: 'Direction', unit: '' }),
    limit: z.number().meta({ zh: '限值', en: 'Limit', unit: 'metric' }),
    hysteresis: z.number().nonnegative().meta({ zh: '回差', en: 'Hysteresis', unit: 'metric' }),
    forMs: z.number().int().nonnegative().meta({ zh: '持续时间', en: 'Minimum duration', unit: 'ms' }),
  }),
  subject: 'series',
  inputs: (rule) => [rule.metric],
  stateSize: () => 3,

  step(state, offset, rule, stimulus) {
    const { value, time } = stimulus;
    const since = state[offset + SINCE]!;
    const above = rule.direction === 'above';
    const within = above ? value <= rule.limit : value >= rule.limit;
    if (since === Infinity) {
      const back = above ? value <= rule.limit - rule.hysteresis : value >= rule.limit + rule.hysteresis;
      if (back || !within) state[offset + VALUE] = value;
      if (!back) return NOTHING;
      state[offset + SINCE] = NaN;
      return CLEAR;
    }
    state[offset + VALUE] = value;
    if (within) {
      state[offset + SINCE] = NaN;
      return NOTHING;
    }
    if (rule.forMs === 0 || time - since >= rule.forMs) {
      state[offset + SINCE] = Infinity;
      return RAISE;
    }
    if (since < Infinity) return NOTHING;
    state[offset + SINCE] = time;
    state[offset + DUE] = stimulus.now + rule.forMs;
    return ARM;
  },

  quiet: ({ direction, limit }) => (direction === 'above' ? [-Infinity, limit] : [limit, Infinity]),

  wakeAt: (state, offset) => (state[offset + SINCE]! < Infinity ? state[offset + DUE]! : Infinity),

  wake(state, offset) {
    state[offset + SINCE] = Infinity;
    return RAISE;
  },

  raised: (state, offset) => state[offset + SINCE] === Infinity,

  score(state, offset, rule) {
    const beyond = (state[offset + VALUE]! - rule.limit) / (Math.abs(rule.limit) || 1);
    return Number.isNaN(beyond) ? 0 : Math.max(0, 1 + (rule.direction === 'above' ? beyond : -beyond));
  },

  evidence: (state, offset, rule) => ({
    value: state[offset + VALUE]!,
    limit: rule.limit,
    forMs: rule.forMs,
    windowMs: rule.forMs,
  }),

  explain(rule, { value = NaN }) {
    const { zh, en, unit } = metricWords(rule.metric);
    const above = rule.direction === 'above';
    const figure = Number(value.toPrecision(6));
    const held = duration(rule.forMs);
    return {
      zh: `${zh} ${figure}${unit && ` ${unit}`},${above ? '高于' : '低于'}限值 ${rule.limit}${unit && ` ${unit}`}${rule.forMs > 0 ? `,已持续 ${held.zh}以上` : ''}`,
      en: `${en} ${figure}${unit && ` ${unit}`}, ${above ? 'above' : 'below'} the limit of ${rule.limit}${unit && ` ${unit}`}${rule.forMs > 0 ? ` for ${held.en} or more` : ''}`,
    };
  },
};
