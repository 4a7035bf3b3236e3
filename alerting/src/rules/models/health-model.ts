import {
  CAME,
  CHANNEL_SIZE,
  follow,
  freedomOf,
  HELD,
  type HealthScales,
  hasLevel,
  hold,
  isFreshMean,
  isLearned,
  judge,
  LEVEL,
  learn,
  MEMORY,
  NOW,
  release,
  returned,
  SCORE,
  STEP_ROWS,
  smooth,
  startChannel,
  WAITING,
  warm,
} from './health-channel.ts';
import { findRelations, type Relations, relate } from './health-relations.ts';
import { studentScore } from './student-score.ts';

/**
 * Health of a machine from several of its metrics: each one's own views (see health-channel) and, where proved, what its fellows let expect
 * of it (see health-relations). The alarm is held by the metrics that raised it and ends when each has come back most of the way from its
 * peak, on its own side: so a machine that settles a little elsewhere is normal again, and one that recovers only in part is not.
 */

/** A metric with so large a part of the limit when the alarm is raised holds it. */
const SHARED = 0.5;
/** Come back: below so many spreads, or below this part of the peak, for so many rows. */
const CALM = 1.5;
const PART = 0.3;
const CALM_ROWS = 30;
/** An alarm that lasts longer than so many warm-ups is the new normal. */
const NEW_NORMAL = 1.5;
/** A metric unheard for so many rows of the machine is not judged. */
const STALE_ROWS = 5;
/** Smoothed rows so far apart count as independent (five time constants of the smoothing). */
const SAMPLE_ROWS = 40;

/** Offsets. Machine: phase (NaN = fresh), rows, rows of calm, rows since raised, score, rows behind the relations. */
export const PHASE = 0;
const ROWS = 1;
const CALM_FOR = 2;
const AGE = 3;
export const HEALTH_SCORE = 4;
const RELATED = 5;
const CHANNELS = 6;

export const QUIET = 0;
export const RAISED = 1;

export function healthSize(metrics: number): number {
  return CHANNELS + metrics * (CHANNEL_SIZE + 4) + 2 * metrics * metrics;
}

export function channelAt(metric: number): number {
  return CHANNELS + metric * CHANNEL_SIZE;
}

export function startHealth(state: Float64Array, metrics: number): void {
  state.fill(0, 0, healthSize(metrics));
  for (let metric = 0; metric < metrics; metric++) startChannel(state, channelAt(metric));
}

/**
 * Judges the row of the values that wait in the channels. `learning`: whether it may learn from it.
 */
export function judgeRow(state: Float64Array, metrics: number, scales: HealthScales, learning: boolean): void {
  const row = state[ROWS]! + (advances(state, metrics) ? 1 : 0);
  state[ROWS] = row;
  let learned = true;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    const value = state[at + WAITING]!;
    if (Number.isNaN(value)) {
      if (row - state[at + CAME]! > STALE_ROWS) state[at + SCORE] = 0;
      continue;
    }
    state[at + WAITING] = NaN;
    if (isLearned(state, at, scales)) {
      smooth(state, at, value);
      judge(state, at);
    } else {
      learned = false;
      if (learning) {
        smooth(state, at, value);
        warm(state, at, scales);
      }
    }
    state[at + CAME] = row;
  }
  const relations = relationsOf(state, metrics);
  compare(state, metrics, relations);
  const highest = turn(state, metrics, scales);
  state[HEALTH_SCORE] = highest / scales.limit;
  const learns = learning && state[PHASE] === QUIET;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + CAME] !== row || !isLearned(state, at, scales)) continue;
    follow(state, at);
    if (learns) learn(state, at, scales);
  }
  if (learning && state[PHASE] === QUIET) learnRelations(state, metrics, scales, relations, learned);
}

/** A new row begins when a metric comes again that came in this one: metrics may come at different times. */
function advances(state: Float64Array, metrics: number): boolean {
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (!Number.isNaN(state[at + WAITING]!) && state[at + CAME] === state[ROWS]) return true;
  }
  return false;
}

/** How far each related metric is from where its fellows let it be expected, in spreads. */
function compare(state: Float64Array, metrics: number, { weights, spreads }: Relations): void {
  const deviations = deviationAt(metrics);
  for (let metric = 0; metric < metrics; metric++) {
    state[deviations + metric] = 0;
    if (spreads[metric] === 0) continue;
    let rest = offLevel(state, metric);
    for (let fellow = 0; fellow < metrics; fellow++) {
      const weight = weights[metric * metrics + fellow]!;
      if (weight === 0) continue;
      if (state[ROWS]! - state[channelAt(fellow) + CAME]! > STALE_ROWS) rest = NaN;
      rest -= weight * offLevel(state, fellow);
    }
    if (!Number.isNaN(rest)) state[deviations + metric] = rest / spreads[metric]!;
  }
}

/** Raises, holds, clears. Returns the highest score of all metrics (in standard deviations). */
function turn(state: Float64Array, metrics: number, { limit, warmUp }: HealthScales): number {
  let highest = 0;
  for (let metric = 0; metric < metrics; metric++) highest = Math.max(highest, scoreOf(state, metrics, metric));
  const peaks = peakAt(metrics);
  const deviations = deviationAt(metrics);
  if (state[PHASE] === QUIET) {
    if (highest <= limit) return highest;
    state[PHASE] = RAISED;
    state[CALM_FOR] = state[AGE] = 0;
    for (let metric = 0; metric < metrics; metric++)
      if (scoreOf(state, metrics, metric) > SHARED * limit) {
        hold(state, channelAt(metric));
        state[peaks + metric] = state[deviations + metric]!;
      }
    return highest;
  }
  state[AGE]!++;
  let back = true;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + HELD] !== 1) {
      if (!hasLevel(state, at) || scoreOf(state, metrics, metric) <= limit) continue;
      hold(state, at);
      state[peaks + metric] = 0;
    }
    const apart = state[deviations + metric]!;
    if (Math.abs(apart) > Math.abs(state[peaks + metric]!)) state[peaks + metric] = apart;
    const peak = state[peaks + metric]!;
    if (!returned(state, at, CALM, PART)) back = false;
    if (apart * Math.sign(peak) >= Math.max(limit * SHARED, PART * Math.abs(peak))) back = false;
    if (state[ROWS]! - state[at + CAME]! > STALE_ROWS) back = false;
  }
  state[CALM_FOR] = back ? state[CALM_FOR]! + 1 : 0;
  const accepted = state[AGE]! > NEW_NORMAL * warmUp;
  if (state[CALM_FOR]! < CALM_ROWS && !accepted) return highest;
  state[PHASE] = QUIET;
  for (let metric = 0; metric < metrics; metric++)
    release(state, channelAt(metric), state[CALM_FOR]! < CALM_ROWS, limit, state[AGE]! / warmUp);
  return highest;
}

function learnRelations(
  state: Float64Array,
  metrics: number,
  { warmUp }: HealthScales,
  relations: Relations,
  learned: boolean,
): void {
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + CAME] !== state[ROWS] || !isFreshMean(state, at)) return;
  }
  const off = state.subarray(deviationAt(metrics) + 2 * metrics, deviationAt(metrics) + 3 * metrics);
  for (let metric = 0; metric < metrics; metric++) off[metric] = offLevel(state, metric);
  const rows = ++state[RELATED]!;
  relate(relations, off, 1 / Math.min(rows, MEMORY * warmUp));
  if (!learned || rows % Math.max(4, Math.round(warmUp / 10)) > 0) return;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    off[metric] = hasLevel(state, at) ? Math.min(freedomOf(state, at), samplesOf(state)) : 0;
  }
  findRelations(relations, off);
}

/** Rows that the verdict rests on: the reference of a step, or all that the alarm has lasted beyond it. */
export function lookedBackRows(state: Float64Array, metrics: number): number {
  let held = false;
  for (let metric = 0; metric < metrics; metric++) if (state[channelAt(metric) + HELD] === 1) held = true;
  return STEP_ROWS + (held ? state[AGE]! : 0);
}

export function isJudged(state: Float64Array, metric: number, scales: HealthScales): boolean {
  return isLearned(state, channelAt(metric), scales);
}

/** Score of a metric: its own, or that of its place among its fellows. */
export function scoreOf(state: Float64Array, metrics: number, metric: number): number {
  const at = channelAt(metric);
  const own = state[at + SCORE]!;
  const apart = Math.abs(state[deviationAt(metrics) + metric]!);
  return apart === 0
    ? own
    : Math.max(own, studentScore(apart, Math.max(1, Math.min(freedomOf(state, at), samplesOf(state)) - metrics)));
}

/** Independent samples behind the relations. */
function samplesOf(state: Float64Array): number {
  return state[RELATED]! / SAMPLE_ROWS;
}

function offLevel(state: Float64Array, metric: number): number {
  const at = channelAt(metric);
  return state[at + NOW]! - state[at + LEVEL]!;
}

/** By metric: deviation from what the fellows let expect, its peak, and room to reckon in. */
function deviationAt(metrics: number): number {
  return CHANNELS + metrics * CHANNEL_SIZE + metrics + 2 * metrics * metrics;
}

function peakAt(metrics: number): number {
  return deviationAt(metrics) + metrics;
}

function relationsOf(state: Float64Array, metrics: number): Relations {
  const at = CHANNELS + metrics * CHANNEL_SIZE;
  return {
    size: metrics,
    spreads: state.subarray(at, at + metrics),
    covariance: state.subarray(at + metrics, at + metrics + metrics * metrics),
    weights: state.subarray(at + metrics + metrics * metrics, at + metrics + 2 * metrics * metrics),
  };
}
