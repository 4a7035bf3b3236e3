import {
  CENTRE,
  finishView,
  holdView,
  isBack,
  judgeView,
  learnView,
  reachOf,
  releaseView,
  VIEW_SIZE,
  warmView,
  weighView,
} from './health-view.ts';

/**
 * One metric of a machine: its smoothed value, seen in two ways (see health-view): its *level* against the mean of one or two warm-ups, its *step*
 * against the last minute or so. A metric that wanders slowly has shown its level few independent swings, however many rows there are; a metric with
 * a wide daily rhythm is known by its steps.
 */

/** Rows left to the smoothing before anything is learned. */
const SETTLE_ROWS = 40;
/** A warm-up is cut into so many blocks; how much their means differ tells wander from noise. */
const BLOCKS = 10;
/** Independent swings of a wandering metric by block: a swing takes one and a half. */
const SWINGS = 0.7;
/** After the warm-up spreads are learned with a memory of so many warm-ups, the level with one of so many. */
const MEMORY = 8;
const LEVEL_MEMORY = 2;
/** One row counts as no more than so many standard deviations; the next on the same side counts in full. */
const WILD = 4;
/** The spread of a smoothed value is not known better than so many quanta: with noise across them, and without (no single quantum reaches the limit). */
const QUANTA_DITHERED = 0.1;
const QUANTA_BARE = 0.3;
/** Rows behind the level where a metric has landed after an alarm. */
const LANDED_ROWS = 16;
/** A step is seen against the value of so many time constants of the smoothing ago, twice as many rows apart it is another. */
const STEP_FACTOR = 7.5;
/** Part of a warm-up in which what a step was held against is forgotten. */
const AGED = 0.25;

/** Offsets. Learned rows; row of the machine in which it came last; value waiting to be judged (NaN = none); last value; smallest change seen. */
const ROWS = 0;
export const CAME = 1;
export const WAITING = 2;
const VALUE = 3;
const QUANTUM = 4;
/** Smoothed value; rows behind its level; side on which the last row was wild (0 = it was not). */
export const NOW = 5;
const LEVEL_ROWS = 6;
const WILD_SIDE = 7;
/** Mean and variance of the rows; sum and rows of the open block; mean and variance of the blocks. */
const MEAN = 8;
const VARIANCE = 9;
const BLOCK_SUM = 10;
const BLOCK_ROWS = 11;
const BLOCK_MEAN = 12;
const BLOCK_VARIANCE = 13;
/** Score in standard deviations; its view that holds the alarm (offset; 0 = none). */
export const SCORE = 14;
export const HELD = 15;
/** After an alarm: level before it, rows for which it is still waited to come nearer to that. */
const FORMER = 16;
const RETURNING = 17;
const LEVEL = 18;
const STEP = LEVEL + VIEW_SIZE;
const VIEWS = [LEVEL, STEP];
export const CHANNEL_SIZE = STEP + VIEW_SIZE;

export interface HealthScales {
  /** Score from which an alarm is raised. */
  limit: number;
  /** Rows to learn from before judging. */
  warmUp: number;
  /** What the instruments can be trusted with: standard deviation as a share of the value. */
  accuracy: number;
  /** Rows over which a value is smoothed (time constant). */
  smoothRows: number;
}

export function startChannel(state: Float64Array, at: number): void {
  state.fill(0, at, at + CHANNEL_SIZE);
  state[at + WAITING] = state[at + VALUE] = NaN;
  state[at + QUANTUM] = Infinity;
}

/** It has seen enough to judge, and has ever moved. */
export function isLearned(state: Float64Array, at: number, warmUp: number): boolean {
  return state[at + ROWS]! >= warmUp && state[at + VARIANCE]! > 0;
}

/** How far its smoothed value is from its level, in its unit. */
function offLevel(state: Float64Array, at: number): number {
  return state[at + NOW]! - state[at + LEVEL + CENTRE]!;
}

/** Takes a row's value into the smoothed one. */
export function smooth(state: Float64Array, at: number, value: number, { warmUp, smoothRows }: HealthScales): void {
  const last = state[at + VALUE]!;
  const rows = state[at + ROWS]!;
  if (Number.isNaN(last)) {
    state[at + NOW] = state[at + LEVEL + CENTRE] = state[at + STEP + CENTRE] = value;
  } else {
    const change = Math.abs(value - last);
    if (change > 0 && change < state[at + QUANTUM]!) state[at + QUANTUM] = change;
  }
  state[at + VALUE] = value;
  let difference = value - state[at + NOW]!;
  // While learning nothing is too wild to be true: what happens once a week must not seem smaller than it is.
  if (isLearned(state, at, warmUp)) {
    const most = WILD * Math.max(Math.sqrt(state[at + VARIANCE]!), QUANTA_DITHERED * quantum(state, at));
    const side = Math.abs(difference) > most ? Math.sign(difference) : 0;
    if (side !== state[at + WILD_SIDE]!) difference = Math.max(-most, Math.min(most, difference));
    state[at + WILD_SIDE] = side;
  }
  state[at + NOW]! += Math.max(-Math.expm1(-1 / smoothRows), 1 / (rows + 1)) * difference;
}

/** One row of the warm-up; call after `smooth`. */
export function warm(state: Float64Array, at: number, scales: HealthScales): void {
  const { warmUp } = scales;
  const value = state[at + VALUE]!;
  if (state[at + ROWS]! >= warmUp) {
    // It never moved in all the warm-up: nothing is known of it until it has moved for as long.
    if (value === state[at + MEAN]) return;
    startChannel(state, at);
    smooth(state, at, value, scales);
  }
  const rows = ++state[at + ROWS]!;
  const before = value - state[at + MEAN]!;
  state[at + MEAN]! += before / rows;
  state[at + VARIANCE]! += (before * (value - state[at + MEAN]!) - state[at + VARIANCE]!) / rows;
  if (closesBlock(state, at, warmUp)) {
    const mean = blockMean(state, at);
    const blocks = Math.round(rows / lengthOfBlock(warmUp));
    const off = mean - state[at + BLOCK_MEAN]!;
    state[at + BLOCK_MEAN]! += off / blocks;
    state[at + BLOCK_VARIANCE]! += (off * (mean - state[at + BLOCK_MEAN]!) - state[at + BLOCK_VARIANCE]!) / blocks;
  }
  const settled = rows - Math.min(SETTLE_ROWS, warmUp >> 2);
  if (settled > 0) {
    const now = state[at + NOW]!;
    const before = settled === 1 ? 0 : offLevel(state, at);
    state[at + LEVEL + CENTRE] = now - before * (1 - 1 / settled);
    warmView(state, at + LEVEL, before, offLevel(state, at), settled);
    const step = now - state[at + STEP + CENTRE]!;
    warmView(state, at + STEP, step, step, settled);
  }
  followStep(state, at, Math.min(rows, STEP_FACTOR * scales.smoothRows));
  if (rows >= warmUp && state[at + VARIANCE]! > 0) finish(state, at, scales);
}

/** The warm-up is over. */
function finish(state: Float64Array, at: number, scales: HealthScales): void {
  const { limit, warmUp } = scales;
  const blocks = Math.floor(warmUp / lengthOfBlock(warmUp));
  state[at + BLOCK_VARIANCE]! *= blocks / Math.max(1, blocks - 1);
  const dithered = Math.sqrt(state[at + VARIANCE]!) >= 0.25 * quantum(state, at);
  const floor = quantum(state, at) * (dithered ? QUANTA_DITHERED : QUANTA_BARE);
  for (const view of VIEWS) finishView(state, at + view, floor, limit);
  state[at + LEVEL_ROWS] = warmUp;
  weigh(state, at, scales);
}

/** Spreads and freedom from what has been learned so far. */
function weigh(state: Float64Array, at: number, { warmUp, accuracy, smoothRows }: HealthScales): void {
  const rows = state[at + ROWS]!;
  const variance = state[at + VARIANCE]!;
  // Without the variance that a mean of white noise over a block has; against that of its smoothed value.
  const wander = Math.max(0, state[at + BLOCK_VARIANCE]! - variance / lengthOfBlock(warmUp));
  const share = wander / Math.max(wander + variance / (2 * smoothRows), Number.MIN_VALUE);
  const swings = (SWINGS * rows) / lengthOfBlock(warmUp);
  // Freedom of a sum of two variances (Satterthwaite): a wander of few swings, noise of as many samples as the smoothing leaves.
  const inverse = share ** 2 / swings + ((1 - share) ** 2 * 2 * smoothRows) / rows;
  const floor = accuracy * Math.abs(state[at + MEAN]!);
  weighView(state, at + LEVEL, floor, 1 / inverse);
  weighView(state, at + STEP, floor, rows / (2 * STEP_FACTOR * smoothRows));
}

export function judge(state: Float64Array, at: number, { warmUp }: HealthScales): void {
  if (state[at + RETURNING]! > 0) comeBack(state, at, warmUp);
  const now = state[at + NOW]!;
  state[at + SCORE] = Math.max(judgeView(state, at + LEVEL, now), judgeView(state, at + STEP, now));
}

/** It begins to hold the alarm, by the view that says more. */
export function hold(state: Float64Array, at: number): void {
  state[at + RETURNING] = 0;
  const level = judgeView(state, at + LEVEL, state[at + NOW]!);
  state[at + HELD] = state[at + SCORE]! > level ? STEP : LEVEL;
  for (const view of VIEWS) holdView(state, at + view);
}

/** Whether it is back: within `calm` spreads, or below this part of its peak on the side to which it went. */
export function returned(state: Float64Array, at: number, calm: number, part: number): boolean {
  return isBack(state, at + state[at + HELD]!, calm, part);
}

/**
 * The alarm is over. A metric that held it stands where it is now, and may come back further; `accepted`: it did not come back, so what it did is
 * normal from now on.
 */
export function release(state: Float64Array, at: number, accepted: boolean, limit: number): void {
  if (state[at + HELD] === 0) return;
  for (const view of VIEWS) releaseView(state, at + view, accepted, limit);
  state[at + STEP + CENTRE] = state[at + NOW]!;
  const left = state[at + HELD] === LEVEL || judgeView(state, at + LEVEL, state[at + NOW]!) > limit;
  state[at + HELD] = 0;
  if (!left) return;
  state[at + FORMER] = state[at + LEVEL + CENTRE]!;
  state[at + RETURNING] = accepted ? 0 : SETTLE_ROWS;
  state[at + LEVEL + CENTRE] = state[at + NOW]!;
  state[at + LEVEL_ROWS] = LANDED_ROWS;
}

/** While it still comes back after an alarm its centres go with it, and only that way: so coming back is no departure, and leaving again is. */
function comeBack(state: Float64Array, at: number, warmUp: number): void {
  state[at + RETURNING]!--;
  const left = state[at + LEVEL + CENTRE]! - state[at + FORMER]!;
  const now = (state[at + NOW]! - state[at + FORMER]!) * Math.sign(left);
  if (now >= Math.abs(left)) return;
  state[at + LEVEL + CENTRE] = state[at + STEP + CENTRE] = state[at + NOW]!;
  state[at + RETURNING] = SETTLE_ROWS;
  if (now > 0) return;
  state[at + LEVEL + CENTRE] = state[at + FORMER]!;
  state[at + LEVEL_ROWS] = warmUp;
  state[at + RETURNING] = 0;
}

/**
 * What a step is held against follows, learned from or not: it says what was a minute ago. In an alarm that the step holds it follows within
 * a part of a warm-up: by then the machine may have wandered as far by itself.
 */
export function follow(state: Float64Array, at: number, { warmUp, smoothRows }: HealthScales): void {
  if (state[at + HELD] === STEP) followStep(state, at, AGED * warmUp);
  else if (state[at + HELD] === 0) followStep(state, at, STEP_FACTOR * smoothRows);
}

function followStep(state: Float64Array, at: number, rows: number): void {
  state[at + STEP + CENTRE]! += (state[at + NOW]! - state[at + STEP + CENTRE]!) / rows;
}

/** A normal row after the warm-up. */
export function learn(state: Float64Array, at: number, scales: HealthScales): void {
  const { limit, warmUp } = scales;
  const memory = MEMORY * warmUp;
  state[at + ROWS] = Math.min(state[at + ROWS]! + 1, memory);
  const value = state[at + VALUE]!;
  const off = value - state[at + MEAN]!;
  state[at + MEAN]! += off / memory;
  state[at + VARIANCE]! += (off * (value - state[at + MEAN]!) - state[at + VARIANCE]!) / memory;
  for (const view of VIEWS) learnView(state, at + view, state[at + NOW]!, limit, memory);
  state[at + LEVEL_ROWS] = Math.min(state[at + LEVEL_ROWS]! + 1, LEVEL_MEMORY * warmUp);
  state[at + LEVEL + CENTRE]! += offLevel(state, at) / state[at + LEVEL_ROWS]!;
  if (!closesBlock(state, at, warmUp)) return;
  const mean = blockMean(state, at);
  const weight = lengthOfBlock(warmUp) / memory;
  const apart = mean - state[at + BLOCK_MEAN]!;
  state[at + BLOCK_MEAN]! += apart * weight;
  state[at + BLOCK_VARIANCE]! += (apart * apart - state[at + BLOCK_VARIANCE]!) * weight;
  weigh(state, at, scales);
}

/** What it holds for normal: centre of its level and how far from it the limit lies, in its unit. */
export function normalBand(state: Float64Array, at: number, limit: number): { centre: number; reach: number } {
  return { centre: state[at + LEVEL + CENTRE]!, reach: reachOf(state, at + LEVEL, limit) };
}

/** Takes the row into the open block; true when that is full. */
function closesBlock(state: Float64Array, at: number, warmUp: number): boolean {
  state[at + BLOCK_SUM]! += state[at + VALUE]!;
  return ++state[at + BLOCK_ROWS]! >= lengthOfBlock(warmUp);
}

function blockMean(state: Float64Array, at: number): number {
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
