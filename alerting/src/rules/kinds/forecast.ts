import { metricWords, type RuleDefinition } from '@smart-fire/core';
import { z } from 'zod';
import { HABIT_SIZE, habitAt, learnHabit, startHabit } from '../models/baseline-habit.ts';
import { addToBuckets, BUCKET, bucketPoints, type Point } from '../models/trend-buckets.ts';
import { medianOf, slopeOf, type Trend, trendOf } from '../models/trend-line.ts';
import { duration } from './duration.ts';
import { CLEAR, NOTHING, RAISE, type RuleKind } from './kind.ts';

export interface ForecastRule extends RuleDefinition {
  type: 'forecast';
  metric: string;
  direction: 'above' | 'below';
  limit: number;
  withinMs: number;
  windowMs: number;
  confidence: number;
}

/** Offsets: 0 = quiet, 1 = raised (NaN = fresh); time of the last reading; slice last judged; the forecast; then the window. */
const RAISED = 0;
const TIME = 1;
const JUDGED = 2;
/** ms from the last reading until the limit is expected, soonest and latest (Infinity = not in sight), and the line's value now. */
const EXPECTED = 3;
const SOONEST = 4;
const LATEST = 5;
const LEVEL = 6;
/** Time of the first reading; the habit follows the window where there is one. */
const FIRST = 7;
const RING = 8;

const DAY = 86_400_000;
/** A window of days is looked at in whole days, which carry no rhythm; a shorter one in so many parts. */
const PARTS = 24;
const DAYS_FROM = 5;
/** What looks less far, back and ahead together, cannot take a daily rhythm for a trend; what looks further learns the rhythm first. */
const RHYTHM_FROM = 6 * 3_600_000;
const RHYTHM_LEARNED = 3 * DAY;
/** Points that make a trend; of six, one may be wrong. */
const LEAST = 6;
/** Share of the pairs of points that must go the same way. */
const AGREEMENT = 0.85;
/** Raised until the limit is expected later than so many times `withinMs`. */
const CLEAR_FACTOR = 1.5;

interface Forecast {
  expected: number;
  soonest: number;
  latest: number;
  level: number;
}

function sliceOf({ windowMs }: ForecastRule): number {
  return windowMs >= DAYS_FROM * DAY ? DAY : windowMs / PARTS;
}

function placesOf(rule: ForecastRule): number {
  return Math.ceil(rule.windowMs / sliceOf(rule)) + 1;
}

/** Windows of hours are freed from the series' daily and weekly habit. */
function hasHabit({ windowMs, withinMs }: ForecastRule): boolean {
  return windowMs < DAYS_FROM * DAY && windowMs + withinMs > RHYTHM_FROM;
}

function habitOf(state: Float64Array, offset: number, rule: ForecastRule): Float64Array {
  const at = offset + RING + placesOf(rule) * BUCKET;
  return state.subarray(at, at + HABIT_SIZE);
}

/** Normal deviate of the two-sided interval, by Tukey's lambda (4 digits between 0.5 and 0.999). */
function deviateOf(confidence: number): number {
  const p = (1 + confidence) / 2;
  return (p ** 0.1349 - (1 - p) ** 0.1349) / 0.1975;
}

/** When a line that is at `level` now and goes at `slope` is at the limit (ms); 0 = it is beyond, Infinity = it goes the other way. */
function crossing(rule: ForecastRule, level: number, slope: number): number {
  const way = rule.limit - level;
  if (rule.direction === 'above' ? way <= 0 : way >= 0) return 0;
  return way * slope > 0 ? way / slope : Number.POSITIVE_INFINITY;
}

/**
 * Whether the trend has lasted: both halves of the window go the same way, neither much faster than the other, and the whole moved by more
 * than three times what the points scatter, nearly all pairs of them alike. A step, a rhythm and noise do not.
 */
function lasts(points: readonly Point[], { slope, spread, agreement }: Trend): boolean {
  const middle = points.length >> 1;
  const halves = [points.slice(0, middle + (points.length % 2)), points.slice(middle)];
  const span = points.at(-1)!.time - points[0]!.time;
  const visible = agreement >= AGREEMENT && Math.abs(slope) * span > 3 * spread;
  return visible && halves.every((half) => slopeOf(half) / slope > 1 / 3);
}

function forecastOf(state: Float64Array, offset: number, rule: ForecastRule): Forecast | null {
  const time = state[offset + TIME]!;
  const points = bucketPoints(state, offset + RING, placesOf(rule), sliceOf(rule), time);
  if (points.length < LEAST || time - points[0]!.time < 0.75 * rule.windowMs) return null;
  const rhythmic = hasHabit(rule);
  if (rhythmic && time - state[offset + FIRST]! < RHYTHM_LEARNED) return null;
  const trend = trendOf(points, deviateOf(rule.confidence), LEAST);
  if (!trend || !lasts(points, trend)) return null;
  // The line where it is now, or the last points where they are beyond it: a trend may bend.
  const recent = medianOf(points.slice(-3).map((point) => point.value + trend.slope * (time - point.time)));
  const line = trend.level + trend.slope * (time - points.at(-1)!.time);
  const habit = rhythmic ? habitAt(habitOf(state, offset, rule), time) : 0;
  const level = habit + ((recent - line) * trend.slope < 0 ? recent : line);
  const times = [trend.slope, trend.low, trend.high].map((slope) => crossing(rule, level, slope));
  return { expected: times[0]!, soonest: Math.min(...times), latest: Math.max(...times), level };
}

/**
 * Time until a trend crosses a limit: Sen's slope over a window with its confidence interval. Raised when even the slow end of the interval
 * reaches the limit within `withinMs`; judged once in a slice of the window.
 */
export const forecast: RuleKind<ForecastRule> = {
  type: 'forecast',
  zh: '趋势预测',
  en: 'Forecast',
  params: z.object({
    metric: z.string().min(1).meta({ zh: '指标', en: 'Metric', unit: '' }),
    direction: z.enum(['above', 'below']).meta({ zh: '方向', en: 'Direction', unit: '' }),
    limit: z.number().meta({ zh: '限值', en: 'Limit', unit: 'metric' }),
    withinMs: z
      .number()
      .int()
      .min(60_000)
      .meta({ zh: '预计在此时间内越限', en: 'Expected to cross within', unit: 'ms' }),
    windowMs: z
      .number()
      .int()
      .min(60_000)
      .max(90 * DAY)
      .meta({ zh: '趋势窗口', en: 'Trend is taken over', unit: 'ms' }),
    confidence: z.number().min(0.5).max(0.999).meta({ zh: '置信度', en: 'Confidence', unit: '' }),
  }),
  subject: 'series',
  inputs: ({ metric }) => [metric],
  stateSize: (rule) => RING + placesOf(rule) * BUCKET + (hasHabit(rule) ? HABIT_SIZE : 0),

  step(state, offset, rule, { value, time, learn }) {
    const slice = Math.floor(time / sliceOf(rule));
    if (Number.isNaN(state[offset]!)) {
      state[offset + RAISED] = 0;
      state[offset + JUDGED] = slice;
      state[offset + FIRST] = time;
      if (hasHabit(rule)) startHabit(habitOf(state, offset, rule), value);
    }
    let outcome: typeof NOTHING | typeof RAISE | typeof CLEAR = NOTHING;
    // A slice is judged when it is complete, with the first reading after it.
    if (slice > state[offset + JUDGED]!) {
      state[offset + JUDGED] = slice;
      const found = forecastOf(state, offset, rule);
      state[offset + EXPECTED] = found ? found.expected : Number.POSITIVE_INFINITY;
      state[offset + SOONEST] = found ? found.soonest : Number.POSITIVE_INFINITY;
      state[offset + LATEST] = found ? found.latest : Number.POSITIVE_INFINITY;
      state[offset + LEVEL] = found ? found.level : NaN;
      const raised = state[offset + RAISED] === 1;
      const soon = found !== null && found.latest > 0 && found.latest <= rule.withinMs;
      const near = found !== null && found.expected <= CLEAR_FACTOR * rule.withinMs;
      if (!raised && soon) outcome = RAISE;
      if (raised && !near) outcome = CLEAR;
      if (outcome !== NOTHING) state[offset + RAISED] = outcome === RAISE ? 1 : 0;
    }
    let rest = value;
    if (hasHabit(rule)) {
      const habit = habitOf(state, offset, rule);
      rest -= habitAt(habit, time);
      if (learn && time > state[offset + FIRST]!) learnHabit(habit, time, time - state[offset + TIME]!, value);
    }
    state[offset + TIME] = time;
    addToBuckets(state, offset + RING, placesOf(rule), sliceOf(rule), time, rest);
    return outcome;
  },

  wakeAt: () => Infinity,
  wake: () => NOTHING,
  raised: (state, offset) => state[offset + RAISED] === 1,
  score: (state, offset, rule) =>
    state[offset + LATEST]! >= 0 ? Math.min(10, rule.withinMs / state[offset + LATEST]!) : 0,

  evidence: (state, offset, rule) => ({
    level: state[offset + LEVEL]!,
    limit: rule.limit,
    expectedMs: state[offset + EXPECTED]!,
    soonestMs: state[offset + SOONEST]!,
    latestMs: state[offset + LATEST]!,
    confidence: rule.confidence,
    windowMs: rule.windowMs,
  }),

  explain(rule, { level = NaN, expectedMs = NaN, soonestMs = NaN, latestMs = NaN, windowMs = rule.windowMs }) {
    const { zh, en, unit: bare } = metricWords(rule.metric);
    const unit = bare && ` ${bare}`;
    const [expected, soonest, latest, window] = [expectedMs, soonestMs, latestMs, windowMs].map(duration);
    const now = Number(level.toPrecision(4));
    const to = {
      zh: rule.direction === 'above' ? '升至' : '降至',
      en: rule.direction === 'above' ? 'reach' : 'fall to',
    };
    return {
      zh: `${zh}现约 ${now}${unit},按近 ${window!.zh}的趋势,预计约 ${expected!.zh}后${to.zh} ${rule.limit}${unit}(${soonest!.zh}至 ${latest!.zh})`,
      en: `${en} now about ${now}${unit}: expected to ${to.en} ${rule.limit}${unit} in about ${expected!.en} (between ${soonest!.en} and ${latest!.en}) by its trend over the last ${window!.en}`,
    };
  },
};
