import {
  CAME,
  CHANNEL_SIZE,
  follow,
  HELD,
  type HealthScales,
  hold,
  isLearned,
  judge,
  learn,
  release,
  returned,
  SCORE,
  smooth,
  startChannel,
  WAITING,
  warm,
} from './health-channel.ts';

/**
 * Health of a machine from several of its metrics: each one's distance from its own level and from its last minute (see health-channel). The
 * alarm is held by the metrics that raised or joined it and ends when each has come back most of the way from its peak, on its own side: so a
 * machine that settles a little elsewhere is normal again, and one that recovers only in part is not.
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

/**
 * Offsets. Machine: phase (NaN = fresh), rows, rows of calm, rows since raised, score, time of the first reading of the row and usual time
 * between rows (ms; 0 = not known).
 */
export const PHASE = 0;
const ROWS = 1;
const CALM_FOR = 2;
const AGE = 3;
export const HEALTH_SCORE = 4;
const BEGAN = 5;
const INTERVAL = 6;
const CHANNELS = 7;

const QUIET = 0;
export const RAISED = 1;

export function healthSize(metrics: number): number {
  return CHANNELS + metrics * CHANNEL_SIZE;
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
    } else if (learning) {
      smooth(state, at, value, scales);
      warm(state, at, scales);
    }
    state[at + CAME] = row;
  }
  const highest = turn(state, metrics, scales, advanced ? 1 : 0);
  state[HEALTH_SCORE] = highest / scales.limit;
  const learns = learning && state[PHASE] === QUIET;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + CAME] !== row || !isLearned(state, at, scales.warmUp)) continue;
    follow(state, at, scales);
    if (learns) learn(state, at, scales);
  }
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

/** Raises, holds, clears; `rows` = 1 in a new row, 0 when more of the same has come. Returns the highest score of all metrics (in standard deviations). */
function turn(state: Float64Array, metrics: number, { limit, warmUp, smoothRows }: HealthScales, rows: number): number {
  let highest = 0;
  for (let metric = 0; metric < metrics; metric++) highest = Math.max(highest, scoreOf(state, metric));
  if (state[PHASE] === QUIET) {
    if (highest <= limit) return highest;
    state[PHASE] = RAISED;
    state[CALM_FOR] = state[AGE] = 0;
  } else state[AGE]! += rows;
  const calm = CALM + (CALM_AGES * state[AGE]!) / warmUp;
  let back = true;
  for (let metric = 0; metric < metrics; metric++) {
    const at = channelAt(metric);
    if (state[at + HELD] === 0) {
      if (scoreOf(state, metric) <= limit) continue;
      hold(state, at);
    }
    if (!returned(state, at, calm, PART)) back = false;
    if (state[ROWS]! - state[at + CAME]! > STALE_ROWS) back = false;
  }
  state[CALM_FOR] = back ? state[CALM_FOR]! + rows : 0;
  const calmed = state[CALM_FOR]! >= CALM_FACTOR * smoothRows;
  if (calmed || state[AGE]! > NEW_NORMAL * warmUp) {
    state[PHASE] = QUIET;
    // Not because the machine came back: what it did is normal from now on.
    for (let metric = 0; metric < metrics; metric++) release(state, channelAt(metric), !calmed, limit);
  }
  return highest;
}

/** How far back the verdict looks (ms): the rows that weigh in a smoothed value, and all that the alarm has lasted. */
export function lookedBackMs(state: Float64Array, warmUp: number): number {
  const age = state[PHASE] === RAISED ? state[AGE]! : 0;
  return (WEIGHING * smoothRowsOf(state, warmUp) + age) * state[INTERVAL]!;
}

export function isJudged(state: Float64Array, metric: number, { warmUp }: HealthRule): boolean {
  return isLearned(state, channelAt(metric), warmUp);
}

/** Score of a metric in standard deviations. */
export function scoreOf(state: Float64Array, metric: number): number {
  return state[channelAt(metric) + SCORE]!;
}
