import { metricWords, type RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import { addToBuckets, BUCKET, bucketPoints, bucketTime, bucketValue, held } from '../models/trend-buckets.ts';
import { slopeOf } from '../models/trend-line.ts';
import { duration } from './duration.ts';
import { CLEAR, NOTHING, type Outcome, RAISE, type RuleKind } from './kind.ts';

export interface RateRule extends RuleDefinition {
  type: 'rate';
  metric: string;
  direction: 'rising' | 'falling';
  /** Unit of the metric per minute. */
  limit: number;
  hysteresis: number;
  windowMs: number;
  forMs: number;
}

/** Offsets: 0 = quiet, 1 = raised (NaN = fresh); reading time since when it is too fast (NaN = it is not); time of the last reading; then the window. */
const RAISED = 0;
const SINCE = 1;
const TIME = 2;
const RING = 3;
/** Slices of a window: a glitch spoils one of them. */
const PLACES = 15;
/** Slices that must hold something: of five, one may be wrong. */
const LEAST = 5;
const MINUTE = 60_000;

/** Share of all pairs of slices that are at least as fast as `perMs` in the rule's direction; 0 while there is too little to tell. */
function shareAtLeast(state: Float64Array, offset: number, rule: RateRule, perMs: number): number {
  const ring = offset + RING;
  const sliceMs = rule.windowMs / PLACES;
  const now = state[offset + TIME]!;
  const sign = rule.direction === 'rising' ? 1 : -1;
  let all = 0;
  let fast = 0;
  let points = 0;
  let span = 0;
  for (let i = 0; i < PLACES; i++) {
    if (!held(state, ring, PLACES, sliceMs, now, i)) continue;
    points++;
    const time = bucketTime(state, ring, sliceMs, i);
    const value = bucketValue(state, ring, i);
    for (let j = i + 1; j < PLACES; j++) {
      if (!held(state, ring, PLACES, sliceMs, now, j)) continue;
      const later = bucketTime(state, ring, sliceMs, j) - time;
      const more = (bucketValue(state, ring, j) - value) * sign;
      all++;
      span = Math.max(span, Math.abs(later));
      if (later > 0 ? more >= perMs * later : more <= perMs * later) fast++;
    }
  }
  return points >= LEAST && span >= rule.windowMs / 2 ? fast / all : 0;
}

function slopePerMinute(state: Float64Array, offset: number, rule: RateRule): number {
  const points = bucketPoints(state, offset + RING, PLACES, rule.windowMs / PLACES, state[offset + TIME]!);
  return points.length < LEAST ? 0 : slopeOf(points) * MINUTE;
}

/**
 * Rate of change: the median of the slopes between all pairs of slices of a window (Theil–Sen), so that neither one glitch nor a change
 * of pace of the readings moves it. The median is not computed in a step, only whether at least half of the slopes are beyond the limit.
 */
export const rate: RuleKind<RateRule> = {
  type: 'rate',
  zh: '变化率',
  en: 'Rate of change',
  params: z
    .object({
      metric: z.string().min(1).meta({ zh: '指标', en: 'Metric', unit: '' }),
      direction: z.enum(['rising', 'falling']).meta({ zh: '方向', en: 'Direction', unit: '' }),
      limit: z.number().positive().meta({ zh: '变化率限值', en: 'Limit', unit: 'metric/min' }),
      hysteresis: z.number().nonnegative().meta({ zh: '回差', en: 'Hysteresis', unit: 'metric/min' }),
      windowMs: z.number().int().min(1000).meta({ zh: '计算窗口', en: 'Window', unit: 'ms' }),
      forMs: z.number().int().nonnegative().meta({ zh: '持续时间', en: 'Minimum duration', unit: 'ms' }),
    })
    .refine(({ hysteresis, limit }) => hysteresis < limit, { path: ['hysteresis'], error: 'less than the limit' }),
  subject: 'series',
  inputs: ({ metric }) => [metric],
  stateSize: () => RING + PLACES * BUCKET,

  step(state, offset, rule, { value, time }): Outcome {
    if (Number.isNaN(state[offset]!)) state[offset] = 0;
    state[offset + TIME] = time;
    addToBuckets(state, offset + RING, PLACES, rule.windowMs / PLACES, time, value);
    const raised = state[offset + RAISED] === 1;
    const limit = raised ? rule.limit - rule.hysteresis : rule.limit;
    const beyond = shareAtLeast(state, offset, rule, limit / MINUTE) >= 0.5;
    if (raised) {
      if (beyond) return NOTHING;
      state[offset + RAISED] = 0;
      state[offset + SINCE] = NaN;
      return CLEAR;
    }
    if (!beyond) {
      state[offset + SINCE] = NaN;
      return NOTHING;
    }
    if (Number.isNaN(state[offset + SINCE]!)) state[offset + SINCE] = time;
    if (time - state[offset + SINCE]! < rule.forMs) return NOTHING;
    state[offset + RAISED] = 1;
    return RAISE;
  },

  wakeAt: () => Infinity,
  wake: () => NOTHING,
  raised: (state, offset) => state[offset + RAISED] === 1,

  score(state, offset, rule) {
    const slope = slopePerMinute(state, offset, rule);
    return Math.max(0, (rule.direction === 'rising' ? slope : -slope) / rule.limit);
  },

  evidence(state, offset, rule) {
    const points = bucketPoints(state, offset + RING, PLACES, rule.windowMs / PLACES, state[offset + TIME]!);
    const value = points.at(-1)?.value ?? NaN;
    return { rate: slopePerMinute(state, offset, rule), limit: rule.limit, value, windowMs: rule.windowMs };
  },

  explain(rule, { rate: slope = NaN, value = NaN, windowMs = rule.windowMs }) {
    const { zh, en, unit: bare } = metricWords(rule.metric);
    const unit = bare && ` ${bare}`;
    const rising = rule.direction === 'rising';
    const speed = Number(Math.abs(slope).toPrecision(3));
    const window = duration(windowMs);
    return {
      zh: `${zh}在近 ${window.zh}内以每分钟 ${speed}${unit} 的速度${rising ? '上升' : '下降'}(限值每分钟 ${rule.limit}${unit}),现为 ${Number(value.toPrecision(4))}${unit}`,
      en: `${en} ${rising ? 'rises' : 'falls'} by ${speed}${unit} a minute over the last ${window.en} (limit ${rule.limit}${unit} a minute), now ${Number(value.toPrecision(4))}${unit}`,
    };
  },
};
