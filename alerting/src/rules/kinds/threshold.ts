import { METRIC_NAMES, METRICS, type ThresholdRule } from '@smart-fire/core';
import { z } from 'zod';
import { duration } from './duration.ts';
import { ARM, CLEAR, NOTHING, RAISE, type RuleKind } from './kind.ts';

/** Offsets: reading time since when the value is beyond the limit (NaN = it is not, Infinity = raised), when to confirm, last value beyond. */
const SINCE = 0;
const DUE = 1;
const VALUE = 2;

/**
 * A limit with hysteresis and minimum duration. The duration is measured in the readings' own time and, for sensors that report
 * by exception and say nothing while nothing changes, confirmed by listened time: a value that stays beyond the limit raises.
 */
export const threshold: RuleKind<ThresholdRule> = {
  type: 'threshold',
  params: z.object({
    metric: z.enum(METRIC_NAMES),
    direction: z.enum(['above', 'below']),
    limit: z.number().describe('unit of the metric'),
    hysteresis: z.number().nonnegative().describe('unit of the metric'),
    forMs: z.number().int().nonnegative().describe('ms'),
  }),
  stateSize: 3,

  step(state, offset, rule, value, time, now) {
    const since = state[offset + SINCE]!;
    const above = rule.direction === 'above';
    if (since === Infinity) {
      const back = above ? value <= rule.limit - rule.hysteresis : value >= rule.limit + rule.hysteresis;
      if (!back) return NOTHING;
      state[offset + SINCE] = NaN;
      return CLEAR;
    }
    if (above ? value <= rule.limit : value >= rule.limit) {
      state[offset + SINCE] = NaN;
      return NOTHING;
    }
    state[offset + VALUE] = value;
    if (rule.forMs === 0 || time - since >= rule.forMs) {
      state[offset + SINCE] = Infinity;
      return RAISE;
    }
    if (since < Infinity) return NOTHING;
    state[offset + SINCE] = time;
    state[offset + DUE] = now + rule.forMs;
    return ARM;
  },

  wakeAt: (state, offset) => (state[offset + SINCE]! < Infinity ? state[offset + DUE]! : Infinity),

  wake(state, offset) {
    state[offset + SINCE] = Infinity;
    return RAISE;
  },

  raised: (state, offset) => state[offset + SINCE] === Infinity,

  evidence: (state, offset, rule) => ({ value: state[offset + VALUE]!, limit: rule.limit, forMs: rule.forMs }),

  explain(rule, { value = NaN }) {
    const { zh, en, unit } = METRICS[rule.metric];
    const above = rule.direction === 'above';
    const figure = Number(value.toPrecision(6));
    const held = duration(rule.forMs);
    return {
      zh: `${zh} ${figure} ${unit},${above ? '高于' : '低于'}限值 ${rule.limit} ${unit}${rule.forMs > 0 ? `,已持续 ${held.zh}以上` : ''}`,
      en: `${en} ${figure} ${unit}, ${above ? 'above' : 'below'} the limit of ${rule.limit} ${unit}${rule.forMs > 0 ? ` for ${held.en} or more` : ''}`,
    };
  },
};
