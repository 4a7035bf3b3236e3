import { studentDeviation, studentScore } from './student-score.ts';

/**
 * A smoothed value held against a centre, in learned spreads. The spread is the widest of three: what the value did about its centre, what it
 * did at most and came back from by itself, and a floor below which nothing is known. Few independent swings seen = wider limits (Student's t).
 */

/** What came back by itself, and two fifths more, raises nothing. */
const MARGIN = 1.4;
/** Below so many spreads an excursion is over. */
const OVER = 1;

/** Offsets. What the value is held against, its variance about that, least spread, spread in force, degrees of freedom. */
export const CENTRE = 0;
const VARIANCE = 1;
const LEAST = 2;
const SPREAD = 3;
const FREEDOM = 4;
/** Deviation in spreads, and its peak: in the alarm, or in an excursion that raised none. */
const DEVIATION = 5;
const PEAK = 6;
export const VIEW_SIZE = 7;

/** A row of the warm-up, the `count`th: it was `before` off its centre, and is `off` now that the centre has learned of it. */
export function warmView(state: Float64Array, at: number, before: number, off: number, count: number): void {
  state[at + VARIANCE]! += (before * off - state[at + VARIANCE]!) / count;
  state[at + LEAST] = Math.max(state[at + LEAST]!, Math.abs(off));
}

/** The warm-up is over: the largest deviation seen becomes the least spread, or `floor`. */
export function finishView(state: Float64Array, at: number, floor: number, limit: number): void {
  state[at + LEAST] = Math.max(floor, (state[at + LEAST]! * MARGIN) / limit);
}

/** Takes into force what has been learned. */
export function weighView(state: Float64Array, at: number, floor: number, freedom: number): void {
  state[at + FREEDOM] = Math.max(1, freedom);
  state[at + SPREAD] = Math.max(Math.sqrt(Math.max(0, state[at + VARIANCE]!)), state[at + LEAST]!, floor);
}

/** Score of the value in standard deviations. */
export function judgeView(state: Float64Array, at: number, now: number): number {
  state[at + DEVIATION] = (now - state[at + CENTRE]!) / state[at + SPREAD]!;
  return studentScore(Math.abs(state[at + DEVIATION]!), state[at + FREEDOM]!);
}

/** A normal row, with a memory of so many. */
export function learnView(state: Float64Array, at: number, now: number, limit: number, memory: number): void {
  const most = limit * state[at + SPREAD]!;
  const off = Math.max(-most, Math.min(most, now - state[at + CENTRE]!));
  state[at + VARIANCE]! += (off * off - state[at + VARIANCE]!) / memory;
  // An excursion that raised nothing and is over belongs to the machine's life.
  followPeak(state, at);
  if (Math.abs(state[at + DEVIATION]!) >= OVER) return;
  tolerate(state, at, limit);
  state[at + PEAK] = 0;
}

/** From here on the peak is that of the alarm. */
export function holdView(state: Float64Array, at: number): void {
  state[at + PEAK] = state[at + DEVIATION]!;
}

/** Whether the value is back: within `calm` spreads, or below this part of its peak on the side to which it went. */
export function isBack(state: Float64Array, at: number, calm: number, part: number): boolean {
  followPeak(state, at);
  const peak = state[at + PEAK]!;
  return state[at + DEVIATION]! * Math.sign(peak) < Math.max(calm, part * Math.abs(peak));
}

/** The alarm is over; `accepted`: what it did is normal from now on. */
export function releaseView(state: Float64Array, at: number, accepted: boolean, limit: number): void {
  if (accepted) tolerate(state, at, limit);
  state[at + PEAK] = 0;
}

/** The peak, and two fifths more, raises nothing from now on. */
function tolerate(state: Float64Array, at: number, limit: number): void {
  const least =
    (Math.abs(state[at + PEAK]!) * state[at + SPREAD]! * MARGIN) / studentDeviation(limit, state[at + FREEDOM]!);
  state[at + LEAST] = Math.max(state[at + LEAST]!, least);
  state[at + SPREAD] = Math.max(state[at + SPREAD]!, least);
}

function followPeak(state: Float64Array, at: number): void {
  if (Math.abs(state[at + DEVIATION]!) > Math.abs(state[at + PEAK]!)) state[at + PEAK] = state[at + DEVIATION]!;
}

/** How far from the centre the limit lies. */
export function reachOf(state: Float64Array, at: number, limit: number): number {
  // A value of which next to nothing is known has next to no limit; the band stays drawable.
  return Math.min(50, studentDeviation(limit, state[at + FREEDOM]!)) * state[at + SPREAD]!;
}
