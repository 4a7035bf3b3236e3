import {
  CALM,
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
  MARGIN,
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
/** Come back: where it was, or below this part of the peak, for so many rows. */
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

interface HealthRelations extends Relations {
  deviations: Float64Array;
  peaks: Float64Array;
  least: Float64Array;
}

const QUIET = 0;
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
  const advanced = advances(state, metrics);
  const row = state[ROWS]! + (advanced ? 1 : 0);
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
      judge(state, at, scales.warmUp);
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
  compare(state, metrics, relations, scales.warmUp);
  const highest = turn(state, metrics, scales, relations, advanced ? 1 : 0);
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

/** How far each related metric is from where its fellows let it be expected, in spreads; 0 while that is on probation. */
function compare(state: Float64Array, metrics: number, relations: HealthRelations, warmUp: number): void {
  const { variances, least, deviations } = relations;
  deviations.fill(0);
  if (state[RELATED]! < 2 * warmUp) return;
  for (let metric = 0; metric < metrics; metric++) {
    if (variances[metric] === 0) continue;
    const rest = restOf(state, relations, metric);
    deviations[metric] = Number.isNaN(rest) ? 0 : rest / Math.max(Math.sqrt(variances[metric]!), least[metric]!);
  }
}

/** What is left of a metric's distance from its level when its fellows' share is taken off; NaN when one of them is not heard. */
function restOf(state: Float64Array, { size, weights }: Relations, metric: number): number {
  let rest = offLevel(state, metric);
  for (let fellow = 0; fellow < size; fellow++) {
    const weight = weights[metric * size + fellow]!;
    if (weight === 0) continue;
    if (state[ROWS]! - state[channelAt(fellow) + CAME]! > STALE_ROWS) return NaN;
    rest -= weight * offLevel(state, fellow);
  }
  return rest;
}

/** Raises, holds, clears; `rows` = 1 in a new row, 0 when more of the same has come. Returns the highest score of all metrics (in standard deviations). */
function turn(
  state: Float64Array,
  metrics: number,
  { limit, warmUp }: HealthScales,
  relations: HealthRelations,
  rows: number,
): number {
  let highest = 0;
  for (let metric = 0; metric < metrics; metric++) highest = Math.max(highest, scoreOf(state, metrics, metric));
  const { peaks, deviations, least, variances } = relations;
  if (state[PHASE] === QUIET) {
    if (highest <= limit) return highest;
    state[PHASE] = RAISED;
    state[CALM_FOR] = state[AGE] = 0;
    for (let metric = 0; metric < metrics; metric++)
      if (scoreOf(state, metrics, metric) > SHARED * limit) {
        hold(state, channelAt(metric));
        peaks[metric] = deviations[metric]!;
      }
    return highest;
  }
  state[AGE]! += rows;
  let back = true;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + HELD] !== 1) {
      if (!hasLevel(state, at) || scoreOf(state, metrics, metric) <= limit) continue;
      hold(state, at);
      peaks[metric] = 0;
    }
    const apart = deviations[metric]!;
    if (Math.abs(apart) > Math.abs(peaks[metric]!)) peaks[metric] = apart;
    const peak = peaks[metric]!;
    if (!returned(state, at, CALM, PART)) back = false;
    if (apart * Math.sign(peak) >= Math.max(limit * SHARED, PART * Math.abs(peak))) back = false;
    if (state[ROWS]! - state[at + CAME]! > STALE_ROWS) back = false;
  }
  state[CALM_FOR] = back ? state[CALM_FOR]! + rows : 0;
  const accepted = state[AGE]! > NEW_NORMAL * warmUp;
  if (state[CALM_FOR]! < CALM_ROWS && !accepted) return highest;
  state[PHASE] = QUIET;
  const anew = state[CALM_FOR]! < CALM_ROWS;
  for (let metric = 0; metric < metrics; metric++) {
    const spread = Math.max(Math.sqrt(variances[metric]!), least[metric]!);
    if (anew) least[metric] = Math.max(least[metric]!, (Math.abs(peaks[metric]!) * spread * MARGIN) / limit);
    peaks[metric] = 0;
    release(state, channelAt(metric), anew, limit, state[AGE]! / warmUp);
  }
  return highest;
}

/** One warm-up to find the relations, another to see what they are worth on rows they were not found in; then with the memory of the channels. */
function learnRelations(
  state: Float64Array,
  metrics: number,
  { limit, warmUp }: HealthScales,
  relations: HealthRelations,
  learned: boolean,
): void {
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + CAME] !== state[ROWS] || !isFreshMean(state, at)) return;
  }
  const { variances, least, deviations } = relations;
  if (state[RELATED]! < warmUp) {
    for (let metric = 0; metric < metrics; metric++) deviations[metric] = offLevel(state, metric);
    relate(relations, deviations, 1 / ++state[RELATED]!);
    if (state[RELATED]! < warmUp) return;
    // A metric that is still learning may turn out to be related: then all wait for it.
    if (!learned) state[RELATED]!--;
    else findRelations(relations, samplesOf(state, metrics, deviations));
    return;
  }
  const rows = Math.min(++state[RELATED]! - warmUp, MEMORY * warmUp);
  for (let metric = 0; metric < metrics; metric++) {
    if (variances[metric] === 0) continue;
    const rest = restOf(state, relations, metric);
    const most = rows > warmUp ? limit * Math.sqrt(variances[metric]!) : Infinity;
    variances[metric]! += (Math.min(rest * rest, most * most) - variances[metric]!) / rows;
    if (rows < warmUp) least[metric] = Math.max(least[metric]!, (Math.abs(rest) * MARGIN) / limit);
  }
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
  const apart = Math.abs(state[relationsAt(metrics) + metric]!);
  if (apart === 0) return own;
  const freedom = Math.min(freedomOf(state, at), state[RELATED]! / SAMPLE_ROWS) - metrics;
  return Math.max(own, studentScore(apart, Math.max(1, freedom)));
}

/** Value that the fellows let expect of a metric whose place among them is what is wrong; NaN where its own value is. */
export function expectedOf(state: Float64Array, metrics: number, metric: number): number {
  const at = channelAt(metric);
  if (scoreOf(state, metrics, metric) <= state[at + SCORE]!) return NaN;
  return state[at + NOW]! - restOf(state, relationsOf(state, metrics), metric);
}

/** Independent samples behind the relations by metric; 0 = it has no level to be off. */
function samplesOf(state: Float64Array, metrics: number, into: Float64Array): Float64Array {
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    into[metric] = hasLevel(state, at) ? Math.min(freedomOf(state, at), state[RELATED]! / SAMPLE_ROWS) : 0;
  }
  return into;
}

function offLevel(state: Float64Array, metric: number): number {
  const at = channelAt(metric);
  return state[at + NOW]! - state[at + LEVEL]!;
}

function relationsAt(metrics: number): number {
  return CHANNELS + metrics * CHANNEL_SIZE;
}

function relationsOf(state: Float64Array, metrics: number): HealthRelations {
  let at = relationsAt(metrics);
  const next = (length: number) => {
    at += length;
    return state.subarray(at - length, at);
  };
  return {
    size: metrics,
    // By metric: deviation from what the fellows let expect and its peak in the alarm (in spreads), least spread.
    deviations: next(metrics),
    peaks: next(metrics),
    least: next(metrics),
    variances: next(metrics),
    covariance: next(metrics * metrics),
    weights: next(metrics * metrics),
  };
}
