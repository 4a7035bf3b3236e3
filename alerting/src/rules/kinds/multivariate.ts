import { metricWords, type RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import { NOW, normalBand, WAITING } from '../models/health-channel.ts';
import {
  channelAt,
  HEALTH_SCORE,
  type HealthRule,
  healthSize,
  isJudged,
  judgeRow,
  lookedBackMs,
  PHASE,
  RAISED,
  scoreOf,
  startHealth,
} from '../models/health-model.ts';
import { duration } from './duration.ts';
import { ARM, CLEAR, type Evidence, NOTHING, type Outcome, RAISE, type RuleKind } from './kind.ts';

export interface MultivariateRule extends RuleDefinition, HealthRule {
  type: 'multivariate';
  /** [] = whatever a recording has; such a rule is tried on recordings and watches no device. */
  metrics: string[];
  learn: boolean;
}

/** Offsets behind the model: time of the row that waits (NaN = none), whether it may be learned from, when to judge it. */
const ROW_TIME = 0;
const ROW_LEARN = 1;
const DUE = 2;
const ROW_SIZE = 3;

/** Metrics named in the sentence. */
const NAMED = 3;
const FIGURES = ['metric', 'value', 'low', 'high', 'score'] as const;

/** Rows for which a limit is given: with more to learn from there are more chances for a chance to be found in them. */
const FIRST_ROWS = 400;

/**
 * Health of one machine or circuit from several of its metrics: one or more of them leave what was normal for it. A row is
 * what a device says of one moment; it is judged when it is complete, or when the next moment or a later wake shows that no more comes.
 */
export const multivariate: RuleKind<MultivariateRule> = {
  type: 'multivariate',
  zh: '多参量健康度',
  en: 'Health from several metrics',
  params: z.object({
    metrics: z.array(z.string().min(1)).max(32).meta({
      zh: '指标(留空:记录中的全部)',
      en: 'Metrics (none: all of the recording)',
      unit: '',
    }),
    limit: z.number().min(2).max(20).meta({
      zh: '限值:偏离正常的标准差倍数(学习 400 行时;学得越久越高)',
      en: 'Limit: standard deviations from normal (after 400 rows; higher after more)',
      unit: 'σ',
    }),
    warmUp: z.number().int().min(40).max(1e6).meta({
      zh: '开始判断前学习的行数',
      en: 'Rows to learn from before it judges',
      unit: 'rows',
    }),
    accuracy: z.number().min(0).max(10).default(0.3).meta({
      zh: '仪表可信到读数的百分之几(标准差)',
      en: 'What the readings can be trusted with: standard deviation, % of the value',
      unit: '%',
    }),
    learn: z.boolean().default(true).meta({ zh: '持续学习', en: 'Goes on learning', unit: '' }),
  }),
  subject: 'device',
  inputs: ({ metrics }) => metrics,
  stateSize: ({ metrics }) => healthSize(metrics.length) + ROW_SIZE,

  step(state, offset, rule, { input, value, time, now, learn }) {
    if (input < 0 || !Number.isFinite(value)) return NOTHING;
    const metrics = rule.metrics.length;
    const model = state.subarray(offset, offset + healthSize(metrics) + ROW_SIZE);
    const row = healthSize(metrics);
    if (Number.isNaN(model[0]!)) {
      startHealth(model, metrics);
      model[row + ROW_TIME] = model[row + DUE] = NaN;
    }
    const at = channelAt(input) + WAITING;
    let before: Outcome = NOTHING;
    const waiting = model[row + ROW_TIME]!;
    // Another moment, or the same metric once more (another detector of the device): the row that waits was all there was.
    if (!Number.isNaN(waiting) && (waiting !== time || !Number.isNaN(model[at]!))) before = judge(model, rule);
    if (Number.isNaN(model[row + ROW_TIME]!)) {
      model[row + ROW_TIME] = time;
      model[row + ROW_LEARN] = 1;
    }
    model[at] = value;
    if (!learn || rule.learn === false) model[row + ROW_LEARN] = 0;
    let complete = true;
    for (let metric = 0; metric < metrics; metric++)
      if (Number.isNaN(model[channelAt(metric) + WAITING]!)) complete = false;
    // Two rows judged in one step: at most one of them turns the alarm, as it must have been calm for many rows.
    if (complete) return judge(model, rule) || before;
    model[row + DUE] = now + 1;
    return before === NOTHING ? ARM : before;
  },

  wakeAt(state, offset, rule) {
    const due = state[offset + healthSize(rule.metrics.length) + DUE]!;
    return due > 0 ? due : Infinity;
  },

  wake(state, offset, rule) {
    return judge(state.subarray(offset, offset + healthSize(rule.metrics.length) + ROW_SIZE), rule);
  },

  raised: (state, offset) => state[offset + PHASE] === RAISED,
  score: (state, offset) => state[offset + HEALTH_SCORE]! || 0,

  evidence(state, offset, rule) {
    const metrics = rule.metrics.length;
    const model = state.subarray(offset, offset + healthSize(metrics) + ROW_SIZE);
    const evidence: Evidence = {
      score: model[HEALTH_SCORE]!,
      windowMs: Math.round(lookedBackMs(model, rule.warmUp)),
    };
    let named = 0;
    for (const metric of worst(model, rule)) {
      named++;
      const { centre, reach } = normalBand(model, channelAt(metric), limitOf(rule));
      const value = model[channelAt(metric) + NOW]!;
      const figures = [metric, value, centre - reach, centre + reach, scoreOf(model, metric) / limitOf(rule)];
      FIGURES.forEach((name, index) => {
        evidence[`${name}${named}`] = figures[index]!;
      });
    }
    return evidence;
  },

  explain(rule, evidence) {
    const zh: string[] = [];
    const en: string[] = [];
    for (let named = 1; named <= NAMED; named++) {
      const [metric, value, low, high] = FIGURES.map((name) => evidence[`${name}${named}`] ?? NaN);
      const name = rule.metrics[metric!];
      if (name === undefined) break;
      const words = metricWords(name);
      const unit = words.unit === '' ? '' : ` ${words.unit}`;
      zh.push(`${words.zh} ${figure(value!)}${unit}(正常 ${figure(low!)}~${figure(high!)})`);
      en.push(`${words.en} ${figure(value!)}${unit} (normal ${figure(low!)} to ${figure(high!)})`);
    }
    if (zh.length === 0) return { zh: '各参量均在正常范围内', en: 'All metrics within their normal region' };
    const window = duration(evidence.windowMs ?? 0);
    return {
      zh: `偏离学得的正常状态:${zh.join(',')};依据最近 ${window.zh}`,
      en: `Has left its learned normal state: ${en.join(', ')}; seen over ${window.en}`,
    };
  },

  learned(state, offset, rule) {
    const metrics = rule.metrics.length;
    const model = state.subarray(offset, offset + healthSize(metrics) + ROW_SIZE);
    if (Number.isNaN(model[0]!)) return null;
    const bands = rule.metrics.flatMap((_, input) => {
      if (!isJudged(model, input, rule)) return [];
      const { centre, reach } = normalBand(model, channelAt(input), limitOf(rule));
      return [{ input, centre, low: centre - reach, high: centre + reach }];
    });
    return bands.length > 0 ? bands : null;
  },
};

function judge(model: Float64Array, rule: MultivariateRule): Outcome {
  const row = healthSize(rule.metrics.length);
  const time = model[row + ROW_TIME]!;
  if (Number.isNaN(time)) return NOTHING;
  const raised = model[PHASE] === RAISED;
  const { warmUp, accuracy } = rule;
  judgeRow(
    model,
    rule.metrics.length,
    { limit: limitOf(rule), warmUp, accuracy: accuracy / 100 },
    time,
    model[row + ROW_LEARN] === 1,
  );
  model[row + ROW_TIME] = model[row + DUE] = NaN;
  const isRaised = model[PHASE] === RAISED;
  return isRaised === raised ? NOTHING : isRaised ? RAISE : CLEAR;
}

/** The limit for this length of warm-up: by chance alone it is passed as rarely in each warm-up, however long that is. */
function limitOf({ limit, warmUp }: MultivariateRule): number {
  return Math.sqrt(limit * limit + 2 * Math.log(Math.max(1, warmUp / FIRST_ROWS)));
}

/** Metrics that contribute most, the worst first: those with at least half as much as the worst. */
function worst(model: Float64Array, rule: MultivariateRule): number[] {
  const scores = rule.metrics.map((_, metric) => scoreOf(model, metric));
  const most = Math.max(...scores);
  return scores
    .map((score, metric) => ({ score, metric }))
    .filter(({ score }) => score > 0 && score >= most / 2)
    .sort((a, b) => b.score - a.score)
    .slice(0, NAMED)
    .map(({ metric }) => metric);
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
