import { metricWords, type RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import {
  BASELINE_SIZE,
  baselineBand,
  baselineValue,
  CHANNEL,
  DEPARTURE,
  EXPECTED,
  lookedBack,
  NOVELTY,
  stepBaseline,
} from '../models/baseline-model.ts';
import { RESTLESS } from '../models/baseline-scales.ts';
import { duration } from './duration.ts';
import { CLEAR, NOTHING, RAISE, type RuleKind } from './kind.ts';

export interface BaselineRule extends RuleDefinition {
  type: 'baseline';
  /** '' = whatever a recording has; such a rule is tried on recordings and watches no device. */
  metric: string;
  rareDays: number;
  warmUp: number;
  learn: boolean;
}

/** The model's numbers come first, so a model that has seen nothing is fresh. */
const RAISED = BASELINE_SIZE;

/**
 * Departure of one series from its own learned habit. It speaks when something begins: the alarm is raised at the row in which the departure
 * becomes rarer than once in `rareDays`, cleared at the next that adds nothing to it, and raised again when it goes well beyond what was told.
 */
export const baseline: RuleKind<BaselineRule> = {
  type: 'baseline',
  zh: '习惯偏离',
  en: 'Departure from habit',
  params: z.object({
    metric: z.string().meta({ zh: '指标', en: 'Metric', unit: '' }),
    rareDays: z.number().min(1).max(1e6).meta({
      zh: '每个测点预计多少天误报一次',
      en: 'Expected time between false departures of one series',
      unit: 'd',
    }),
    warmUp: z
      .number()
      .int()
      .min(10)
      .max(1e6)
      .meta({ zh: '开始判断前学习的读数', en: 'Readings to learn from before it judges', unit: 'rows' }),
    learn: z.boolean().meta({ zh: '持续学习', en: 'Goes on learning', unit: '' }),
  }),
  subject: 'series',
  inputs: ({ metric }) => (metric === '' ? [] : [metric]),
  stateSize: () => BASELINE_SIZE + 1,

  step(state, offset, rule, { value, time, learn }) {
    const model = state.subarray(offset, offset + BASELINE_SIZE);
    stepBaseline(model, time, value, learn && rule.learn, rule);
    const news = model[NOVELTY]! >= 1;
    const raised = state[offset + RAISED] === 1;
    state[offset + RAISED] = news ? 1 : 0;
    return news === raised ? NOTHING : news ? RAISE : CLEAR;
  },

  wakeAt: () => Infinity,
  wake: () => NOTHING,
  raised: (state, offset) => state[offset + RAISED] === 1,
  score: (state, offset) => state[offset + NOVELTY]! || 0,

  evidence(state, offset, rule) {
    const model = state.subarray(offset, offset + BASELINE_SIZE);
    const band = baselineBand(model, rule);
    return {
      value: baselineValue(model),
      expected: model[EXPECTED]!,
      departure: model[DEPARTURE]!,
      channel: model[CHANNEL]!,
      low: band?.low ?? NaN,
      high: band?.high ?? NaN,
      windowMs: lookedBack(model),
      rareDays: rule.rareDays,
    };
  },

  explain(rule, { value = NaN, expected = NaN, departure = NaN, channel = 0, windowMs = NaN, rareDays = NaN }) {
    const { zh, en, unit: bare } = metricWords(rule.metric);
    const unit = bare && ` ${bare}`;
    const window = duration(windowMs);
    const rare = {
      zh: `依其自身历史,约 ${rareDays} 天才会误报一次`,
      en: `by its own past a false alarm about once in ${rareDays} days`,
    };
    if (channel === RESTLESS) {
      const times = figure(Math.exp(Math.abs(departure)));
      const livelier = departure > 0;
      return {
        zh: `${zh}(现为 ${figure(value)}${unit})的波动${livelier ? '增大到' : '减小到'}平时的 ${livelier ? times : `1/${times}`}(与近 ${window.zh}相比);${rare.zh}`,
        en: `${en} (now ${figure(value)}${unit}) ${livelier ? `fluctuates ${times} times as much as` : `fluctuates only 1/${times} of what it did`} over the last ${window.en}; ${rare.en}`,
      };
    }
    const above = departure > 0;
    const by = figure(Math.abs(departure));
    return {
      zh: `${zh} ${figure(value)}${unit},比按近 ${window.zh}及同一时段习惯预期的 ${figure(expected)}${unit}${above ? '偏高' : '偏低'} ${by}${unit};${rare.zh}`,
      en: `${en} ${figure(value)}${unit}: ${by}${unit} ${above ? 'above' : 'below'} the ${figure(expected)}${unit} expected from the last ${window.en} and its habit at this time of day and week; ${rare.en}`,
    };
  },

  learned(state, offset, rule) {
    const band = baselineBand(state.subarray(offset, offset + BASELINE_SIZE), rule);
    return band && [{ input: 0, ...band }];
  },
};

function figure(value: number): number {
  return Number(value.toPrecision(4));
}
