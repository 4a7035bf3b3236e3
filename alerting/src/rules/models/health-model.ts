import {
  CAME,
  CHANNEL_SIZE,
  follow,
  freedomOf,
  HELD,
  type HealthScales,
  hold,
  isFreshMean,
  isLearned,
  judge,
  learn,
  MEMORY,
  NOW,
  offLevel,
  release,
  returned,
  SCORE,
  smooth,
  startChannel,
  WAITING,
  warm,
} from './health-channel.ts';
import { findRelations, type Relations, relate } from './health-relations.ts';
import { MARGIN } from './health-view.ts';
import { studentScore } from './student-score.ts';

/**
 * Health of a machine from several of its metrics: each one's own distance from its level (see health-channel) and, where proved, what its
 * fellows let expect of it (see health-relations). The alarm is held by the metrics that raised or joined it and ends when each has come back
 * most of the way from its peak, on its own side: so a machine that settles a little elsewhere is normal again, and one that recovers only in
 * part is not.
 */

/** What the scales of a rule say, without the one that follows from the pace of its rows. */
export type HealthRule = Omit<HealthScales, 'smoothRows'>;

/** A value is smoothed over so long (time constant, ms), yet over no fewer rows, and no more than this part of the warm-up. */
const SMOOTH_MS = 8000;
const SMOOTH_LEAST = 4;
const SMOOTH_PART = 50;
/** Rows older than so many times that weigh nothing any more. */
const WEIGHING = 8;
/** An alarm is over after so many times that of calm. */
const CALM_FACTOR = 2.5;
/** Calm: within so many spreads, and more by each warm-up that the alarm has lasted (its level ages); or below this part of the peak. */
const CALM = 1.5;
const CALM_AGES = 2;
const PART = 0.3;
/** An alarm that lasts longer than so many warm-ups is the new normal. */
const NEW_NORMAL = 1.5;
/** A metric unheard for so many rows of the machine is not judged. */
const STALE_ROWS = 5;
/** Smoothed rows so far apart count as independent (five time constants of the smoothing). */
const SAMPLE_ROWS = 40;

/**
 * Offsets. Machine: phase (NaN = fresh), rows, rows of calm, rows since raised, score, rows behind the relations, time of the first reading
 * of the row and usual time between rows (ms; 0 = not known).
 */
export const PHASE = 0;
const ROWS = 1;
const CALM_FOR = 2;
const AGE = 3;
export const HEALTH_SCORE = 4;
const RELATED = 5;
const BEGAN = 6;
const INTERVAL = 7;
const CHANNELS = 8;

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

/** Judges the row of the values that wait in the channels, which came at `time` (ms). `learning`: whether it may learn from it. */
export function judgeRow(
  state: Float64Array,
  metrics: number,
  rule: HealthRule,
  time: number,
  learning: boolean,
): void {
  const advanced = advances(state, metrics);
  if (advanced) keepPace(state, time);
  const scales = { ...rule, smoothRows: smoothRowsOf(state, rule.warmUp) };
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
    if (isLearned(state, at, scales.warmUp)) {
      smooth(state, at, value, scales);
      judge(state, at, scales);
    } else {
      learned = false;
      if (learning) {
        smooth(state, at, value, scales);
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
    if (state[at + CAME] !== row || !isLearned(state, at, scales.warmUp)) continue;
    follow(state, at, scales);
    if (learns) learn(state, at, scales);
  }
  if (learns) learnRelations(state, metrics, scales, relations, learned);
}

/** Follows the usual time between rows; a gap counts as no more than four of them. */
function keepPace(state: Float64Array, time: number): void {
  const since = time - state[BEGAN]!;
  const usual = state[INTERVAL]!;
  if (since > 0 && state[BEGAN]! > 0)
    state[INTERVAL] = usual > 0 ? usual + (Math.min(since, 4 * usual) - usual) / 20 : since;
  state[BEGAN] = time;
}

function smoothRowsOf(state: Float64Array, warmUp: number): number {
  const most = Math.max(SMOOTH_LEAST, warmUp / SMOOTH_PART);
  const usual = state[INTERVAL]!;
  return usual > 0 ? Math.max(SMOOTH_LEAST, Math.min(most, SMOOTH_MS / usual)) : most;
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
  let rest = offLevel(state, channelAt(metric));
  for (let fellow = 0; fellow < size; fellow++) {
    const weight = weights[metric * size + fellow]!;
    if (weight === 0) continue;
    if (state[ROWS]! - state[channelAt(fellow) + CAME]! > STALE_ROWS) return NaN;
    rest -= weight * offLevel(state, channelAt(fellow));
  }
  return rest;
}

/** Raises, holds, clears; `rows` = 1 in a new row, 0 when more of the same has come. Returns the highest score of all metrics (in standard deviations). */
function turn(
  state: Float64Array,
  metrics: number,
  { limit, warmUp, smoothRows }: HealthScales,
  relations: HealthRelations,
  rows: number,
): number {
  let highest = 0;
  for (let metric = 0; metric < metrics; metric++) highest = Math.max(highest, scoreOf(state, metrics, metric));
  if (state[PHASE] === QUIET) {
    if (highest <= limit) return highest;
    state[PHASE] = RAISED;
    state[CALM_FOR] = state[AGE] = 0;
  } else state[AGE]! += rows;
  const { peaks, deviations } = relations;
  const calm = CALM + (CALM_AGES * state[AGE]!) / warmUp;
  let back = true;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + HELD] === 0) {
      if (scoreOf(state, metrics, metric) <= limit) continue;
      hold(state, at);
      peaks[metric] = 0;
    }
    const apart = deviations[metric]!;
    if (Math.abs(apart) > Math.abs(peaks[metric]!)) peaks[metric] = apart;
    const peak = peaks[metric]!;
    if (!returned(state, at, calm, PART)) back = false;
    if (apart * Math.sign(peak) >= Math.max(calm, PART * Math.abs(peak))) back = false;
    if (state[ROWS]! - state[at + CAME]! > STALE_ROWS) back = false;
  }
  state[CALM_FOR] = back ? state[CALM_FOR]! + rows : 0;
  const calmed = state[CALM_FOR]! >= CALM_FACTOR * smoothRows;
  if (calmed || state[AGE]! > NEW_NORMAL * warmUp) end(state, metrics, relations, limit, !calmed);
  return highest;
}

/** The alarm is over; `accepted`: not because the machine came back. */
function end(
  state: Float64Array,
  metrics: number,
  { peaks, least, variances }: HealthRelations,
  limit: number,
  accepted: boolean,
): void {
  state[PHASE] = QUIET;
  for (let metric = 0; metric < metrics; metric++) {
    const spread = Math.max(Math.sqrt(variances[metric]!), least[metric]!);
    if (accepted) least[metric] = Math.max(least[metric]!, (Math.abs(peaks[metric]!) * spread * MARGIN) / limit);
    peaks[metric] = 0;
    release(state, channelAt(metric), accepted, limit);
  }
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
    for (let metric = 0; metric < metrics; metric++) deviations[metric] = offLevel(state, channelAt(metric));
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

/** How far back the verdict looks (ms): the rows that weigh in a smoothed value, and all that the alarm has lasted. */
export function lookedBackMs(state: Float64Array, warmUp: number): number {
  const age = state[PHASE] === RAISED ? state[AGE]! : 0;
  return (WEIGHING * smoothRowsOf(state, warmUp) + age) * state[INTERVAL]!;
}

export function isJudged(state: Float64Array, metric: number, { warmUp }: HealthRule): boolean {
  return isLearned(state, channelAt(metric), warmUp);
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

/** Independent samples behind the relations by metric; 0 = it has swung too seldom to be laid to its fellows. */
function samplesOf(state: Float64Array, metrics: number, into: Float64Array): Float64Array {
  for (let metric = 0; metric < metrics; metric++) {
    const freedom = freedomOf(state, channelAt(metric));
    into[metric] = freedom > metrics + 1 ? Math.min(freedom, state[RELATED]! / SAMPLE_ROWS) : 0;
  }
  return into;
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
