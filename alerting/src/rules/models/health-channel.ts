import { studentDeviation, studentScore } from './student-score.ts';

/**
 * One metric of a machine: what it does now against what it has done. Two views of the smoothed value, each with its own learned spread:
 * the *level* (against the mean) and the *step* (against the last minute or so of rows). A metric whose variance is mostly slow wander
 * (a motor that warms up) has no mean that could be learned; it is judged by its steps only, and what few independent swings were
 * seen of it widens its limits (Student's t).
 */

/** Rows over which a value is smoothed (time constant). */
const SMOOTH_ROWS = 8;
/** Rows of the reference of a step (time constant). */
export const STEP_ROWS = 60;
/** Rows left to the smoothing before anything is learned. */
const SETTLE_ROWS = 40;
/** A warm-up is cut into so many blocks; how much their means differ tells wander from noise. */
const BLOCKS = 10;
/** Share of slow variance from which a metric has no level. */
const WANDERING = 0.5;
/** After the warm-up the spread is learned with a memory of so many warm-ups. */
export const MEMORY = 8;
/** What was seen while learning, and two fifths more, raises nothing. */
export const MARGIN = 1.4;
/** One row counts as no more than so many standard deviations: a single wild value is no disturbance. */
const WILD = 4;
/** The spread of a smoothed value is not known better than so many quanta: with noise across them, and without (no single quantum reaches the limit). */
const QUANTA_DITHERED = 0.1;
const QUANTA_BARE = 0.3;
/** Smoothed rows so far apart count as independent. */
const SAMPLE_ROWS = 2 * SMOOTH_ROWS;
/** Below so many spreads a metric counts as where it was. */
export const CALM = 1.5;

/** Offsets. Learned rows; row of the machine in which it came last; value waiting to be judged (NaN = none); last value; smallest change seen. */
const ROWS = 0;
export const CAME = 1;
export const WAITING = 2;
const VALUE = 3;
const QUANTUM = 4;
/** Smoothed value, level, reference of a step. */
export const NOW = 5;
export const LEVEL = 6;
const REFERENCE = 7;
/** Mean and variance of the rows; sum and rows of the open block; mean and variance of the blocks. */
const MEAN = 8;
const VARIANCE = 9;
const BLOCK_SUM = 10;
const BLOCK_ROWS = 11;
const BLOCK_MEAN = 12;
const BLOCK_VARIANCE = 13;
/** By view (level, step): variance, least spread, spread in force, deviation in spreads, its peak in the alarm. */
const VIEW_VARIANCE = 14;
const LEAST = 16;
const SPREAD = 18;
const DEVIATION = 20;
const PEAK = 22;
/** Share of slow variance; degrees of freedom; score in standard deviations; 1 = it holds the alarm. */
const SHARE = 24;
const FREEDOM = 25;
export const SCORE = 26;
export const HELD = 27;
/** Rows behind the level since it was last found anew. */
const LEVEL_ROWS = 28;
export const CHANNEL_SIZE = 29;

const STEP_VIEW = 1;

export interface HealthScales {
  /** Score from which an alarm is raised. */
  limit: number;
  /** Rows to learn from before judging. */
  warmUp: number;
}

export function startChannel(state: Float64Array, at: number): void {
  state.fill(0, at, at + CHANNEL_SIZE);
  state[at + WAITING] = state[at + VALUE] = NaN;
  state[at + QUANTUM] = Infinity;
}

/** It has seen enough to judge, and has ever moved. */
export function isLearned(state: Float64Array, at: number, { warmUp }: HealthScales): boolean {
  return state[at + ROWS]! >= warmUp && state[at + SPREAD]! > 0;
}

/** It has a mean: its slow wander is small beside its noise. */
export function hasLevel(state: Float64Array, at: number): boolean {
  return state[at + SHARE]! < WANDERING;
}

export function isFreshMean(state: Float64Array, at: number): boolean {
  return state[at + ROWS]! > SETTLE_ROWS;
}

export function freedomOf(state: Float64Array, at: number): number {
  return state[at + FREEDOM]!;
}

/** Takes a row's value into the smoothed one. */
export function smooth(state: Float64Array, at: number, value: number): void {
  const last = state[at + VALUE]!;
  const rows = state[at + ROWS]!;
  if (Number.isNaN(last)) {
    state[at + NOW] = state[at + LEVEL] = state[at + REFERENCE] = value;
  } else {
    const change = Math.abs(value - last);
    if (change > 0 && change < state[at + QUANTUM]!) state[at + QUANTUM] = change;
  }
  state[at + VALUE] = value;
  let difference = value - state[at + NOW]!;
  // While learning nothing is too wild to be true: what happens once a week must not seem smaller than it is.
  if (state[at + SPREAD]! > 0) {
    const most = WILD * Math.max(Math.sqrt(state[at + VARIANCE]!), QUANTA_DITHERED * quantum(state, at));
    difference = Math.max(-most, Math.min(most, difference));
  }
  state[at + NOW]! += Math.max(1 - Math.exp(-1 / SMOOTH_ROWS), 1 / (rows + 1)) * difference;
}

/** One row of the warm-up; call after `smooth`. */
export function warm(state: Float64Array, at: number, { limit, warmUp }: HealthScales): void {
  const value = state[at + VALUE]!;
  if (state[at + ROWS]! >= warmUp) {
    // It never moved in all the warm-up: nothing is known of it until it has moved for as long.
    if (value === state[at + MEAN]) return;
    startChannel(state, at);
    smooth(state, at, value);
  }
  const rows = ++state[at + ROWS]!;
  const blockRows = lengthOfBlock(warmUp);
  const before = value - state[at + MEAN]!;
  state[at + MEAN]! += before / rows;
  state[at + VARIANCE]! += (before * (value - state[at + MEAN]!) - state[at + VARIANCE]!) / rows;
  state[at + BLOCK_SUM]! += value;
  if (++state[at + BLOCK_ROWS]! === blockRows) {
    const mean = closeBlock(state, at);
    const blocks = Math.round(rows / blockRows);
    const off = mean - state[at + BLOCK_MEAN]!;
    state[at + BLOCK_MEAN]! += off / blocks;
    state[at + BLOCK_VARIANCE]! += (off * (mean - state[at + BLOCK_MEAN]!) - state[at + BLOCK_VARIANCE]!) / blocks;
  }
  const settled = rows - Math.min(SETTLE_ROWS, warmUp >> 2);
  if (settled > 0) {
    const now = state[at + NOW]!;
    const fromLevel = settled === 1 ? 0 : now - state[at + LEVEL]!;
    state[at + LEVEL] = settled === 1 ? now : state[at + LEVEL]! + fromLevel / settled;
    const deviation = now - state[at + LEVEL]!;
    state[at + VIEW_VARIANCE]! += (fromLevel * deviation - state[at + VIEW_VARIANCE]!) / settled;
    state[at + LEAST] = Math.max(state[at + LEAST]!, Math.abs(deviation));
    const step = now - state[at + REFERENCE]!;
    state[at + VIEW_VARIANCE + 1]! += (step * step - state[at + VIEW_VARIANCE + 1]!) / settled;
    state[at + LEAST + 1] = Math.max(state[at + LEAST + 1]!, Math.abs(step));
  }
  state[at + REFERENCE]! += Math.max(1 / STEP_ROWS, 1 / rows) * (state[at + NOW]! - state[at + REFERENCE]!);
  if (rows >= warmUp && state[at + VARIANCE]! > 0) finish(state, at, limit, warmUp);
}

/** The warm-up is over: the largest deviations seen become the least spread. */
function finish(state: Float64Array, at: number, limit: number, warmUp: number): void {
  const blocks = Math.floor(warmUp / lengthOfBlock(warmUp));
  state[at + BLOCK_VARIANCE]! *= blocks / Math.max(1, blocks - 1);
  const dithered = Math.sqrt(state[at + VARIANCE]!) >= 0.25 * quantum(state, at);
  const floor = quantum(state, at) * (dithered ? QUANTA_DITHERED : QUANTA_BARE);
  for (let view = 0; view < 2; view++)
    state[at + LEAST + view] = Math.max(floor, (state[at + LEAST + view]! * MARGIN) / limit);
  state[at + LEVEL_ROWS] = warmUp;
  weigh(state, at, warmUp);
}

/** Spreads and freedom from what has been learned so far. */
function weigh(state: Float64Array, at: number, warmUp: number): void {
  const share = Math.min(1, state[at + BLOCK_VARIANCE]! / Math.max(state[at + VARIANCE]!, Number.MIN_VALUE));
  const blocks = state[at + ROWS]! / lengthOfBlock(warmUp);
  state[at + SHARE] = share;
  state[at + FREEDOM] = Math.max(
    1,
    Math.min(state[at + ROWS]! / SAMPLE_ROWS, blocks * (1 / Math.max(share, 1e-3) - 1)),
  );
  for (let view = 0; view < 2; view++)
    state[at + SPREAD + view] = Math.max(
      Math.sqrt(Math.max(0, state[at + VIEW_VARIANCE + view]!)),
      state[at + LEAST + view]!,
    );
}

/** Deviation of both views, and the score of the larger one. */
export function judge(state: Float64Array, at: number, warmUp: number): void {
  const now = state[at + NOW]!;
  // Where it has landed after an alarm is known from few rows at first.
  const unsure = Math.sqrt((1 + SAMPLE_ROWS / state[at + LEVEL_ROWS]!) / (1 + SAMPLE_ROWS / warmUp));
  const level = hasLevel(state, at) ? (now - state[at + LEVEL]!) / (state[at + SPREAD]! * unsure) : 0;
  const step = (now - state[at + REFERENCE]!) / (state[at + SPREAD + STEP_VIEW]! * unsure);
  state[at + DEVIATION] = level;
  state[at + DEVIATION + STEP_VIEW] = step;
  state[at + SCORE] = studentScore(Math.max(Math.abs(level), Math.abs(step)), state[at + FREEDOM]!);
}

/** It begins to hold the alarm. */
export function hold(state: Float64Array, at: number): void {
  state[at + HELD] = 1;
  state[at + PEAK] = state[at + DEVIATION]!;
  state[at + PEAK + STEP_VIEW] = state[at + DEVIATION + STEP_VIEW]!;
}

/** How far it is from normal on the side to which it went, and how far it was at most (in spreads); follows the peak. */
export function returned(state: Float64Array, at: number, calm: number, part: number): boolean {
  for (let view = 0; view < 2; view++)
    if (Math.abs(state[at + DEVIATION + view]!) > Math.abs(state[at + PEAK + view]!))
      state[at + PEAK + view] = state[at + DEVIATION + view]!;
  const view = hasLevel(state, at) ? 0 : STEP_VIEW;
  const peak = state[at + PEAK + view]!;
  return state[at + DEVIATION + view]! * Math.sign(peak) < Math.max(calm, part * Math.abs(peak));
}

/**
 * The alarm is over, `age` warm-ups after it was raised. A metric that held it stands where it is now; `accepted`: it did not come back, so what
 * it did is normal from now on. One that had no part in it was normal all the while: its level catches up.
 */
export function release(state: Float64Array, at: number, accepted: boolean, limit: number, age: number): void {
  if (state[at + HELD] !== 1) {
    state[at + LEVEL]! += (state[at + REFERENCE]! - state[at + LEVEL]!) * -Math.expm1(-age);
    return;
  }
  state[at + HELD] = 0;
  // Back where it was: then that is known better than from the few rows since.
  if (accepted || Math.abs(state[at + DEVIATION]!) > CALM) {
    state[at + LEVEL] = state[at + NOW]!;
    state[at + LEVEL_ROWS] = SAMPLE_ROWS;
  }
  state[at + REFERENCE] = state[at + NOW]!;
  if (!accepted) return;
  for (let view = 0; view < 2; view++) {
    const least = (Math.abs(state[at + PEAK + view]!) * state[at + SPREAD + view]! * MARGIN) / limit;
    state[at + LEAST + view] = Math.max(state[at + LEAST + view]!, least);
    state[at + SPREAD + view] = Math.max(state[at + SPREAD + view]!, least);
  }
}

/** The short reference follows, learned or not: it says what was a minute ago. */
export function follow(state: Float64Array, at: number): void {
  if (state[at + HELD] !== 1) state[at + REFERENCE]! += (state[at + NOW]! - state[at + REFERENCE]!) / STEP_ROWS;
}

/** A normal row after the warm-up. */
export function learn(state: Float64Array, at: number, { limit, warmUp }: HealthScales): void {
  const rows = Math.min(state[at + ROWS]! + 1, MEMORY * warmUp);
  state[at + ROWS] = rows;
  const memory = MEMORY * warmUp;
  const value = state[at + VALUE]!;
  const off = value - state[at + MEAN]!;
  state[at + MEAN]! += off / memory;
  state[at + VARIANCE]! += (off * (value - state[at + MEAN]!) - state[at + VARIANCE]!) / memory;
  for (let view = 0; view < 2; view++) {
    const centre = view === STEP_VIEW ? state[at + REFERENCE]! : state[at + LEVEL]!;
    const most = limit * state[at + SPREAD + view]!;
    const deviation = Math.max(-most, Math.min(most, state[at + NOW]! - centre));
    state[at + VIEW_VARIANCE + view]! += (deviation * deviation - state[at + VIEW_VARIANCE + view]!) / memory;
  }
  state[at + LEVEL_ROWS] = Math.min(state[at + LEVEL_ROWS]! + 1, warmUp);
  state[at + LEVEL]! += (state[at + NOW]! - state[at + LEVEL]!) / state[at + LEVEL_ROWS]!;
  state[at + BLOCK_SUM]! += value;
  if (++state[at + BLOCK_ROWS]! < lengthOfBlock(warmUp)) return;
  const mean = closeBlock(state, at);
  const weight = lengthOfBlock(warmUp) / memory;
  const apart = mean - state[at + BLOCK_MEAN]!;
  state[at + BLOCK_MEAN]! += apart * weight;
  state[at + BLOCK_VARIANCE]! += (apart * apart - state[at + BLOCK_VARIANCE]!) * weight;
  weigh(state, at, warmUp);
}

/** What it holds for normal: centre and how far from it the limit lies, in the metric's unit. */
export function normalBand(state: Float64Array, at: number, limit: number): { centre: number; reach: number } {
  const view = hasLevel(state, at) ? 0 : STEP_VIEW;
  // A metric of which next to nothing is known has next to no limit; the band stays drawable.
  const reach = Math.min(50, studentDeviation(limit, state[at + FREEDOM]!)) * state[at + SPREAD + view]!;
  return { centre: view === 0 ? state[at + LEVEL]! : state[at + REFERENCE]!, reach };
}

function closeBlock(state: Float64Array, at: number): number {
  const mean = state[at + BLOCK_SUM]! / state[at + BLOCK_ROWS]!;
  state[at + BLOCK_SUM] = state[at + BLOCK_ROWS] = 0;
  return mean;
}

function lengthOfBlock(warmUp: number): number {
  return Math.max(4, Math.round(warmUp / BLOCKS));
}

function quantum(state: Float64Array, at: number): number {
  const quantum = state[at + QUANTUM]!;
  return quantum < Infinity ? quantum : 0;
}
