import { lnStudentTail, studentQuantile } from './baseline-tail.ts';

/** Running means of the series, each six times slower than the one before; the first is the series itself. */
export const MEANS = 6;
export const RATIO = 6;
/** Differences between a fast and a slow mean: jumps first, changes over many days last. */
export const CHANNELS: readonly (readonly [fast: number, slow: number])[] = [
  [0, 1],
  [0, 2],
  [1, 3],
  [2, 4],
  [3, 5],
];
/** Differences of the restlessness (mean change from row to row): noise that swells, a sensor that has stuck. */
export const RESTLESS = CHANNELS.length;
export const SIGNALS = RESTLESS + 1;
const FAST = [...CHANNELS.map(([fast]) => fast), 2];
const DIV = Number(process.env.DIV ?? 2);
/** Of one side (above, below) of a channel: rows seen, mean square, mean fourth power. */
const SIDE = 3;
export const TAILS_SIZE = 2 * SIDE * SIGNALS;
/** Rows of memory of a tail; slow channels remember longer, for they tell less in a row. */
const MEMORY = 10_000;

function at(channel: number, departure: number): number {
  return (2 * channel + (departure < 0 ? 1 : 0)) * SIDE;
}

/** Degrees of freedom that the weight of the tail speaks for (kurtosis 3 = normal), bounded by how many independent rows there were. */
function freedomOf(tails: Float64Array, place: number): number {
  const square = tails[place + 1]!;
  const kurtosis = square > 0 ? tails[place + 2]! / (square * square) : 3;
  return kurtosis > 3.05 ? 4 + 6 / (kurtosis - 3) : 124;
}

/** How much of `rows` a channel has seen independently. */
function independent(channel: number, rows: number): number {
  return Math.max(0.5, rows / (DIV * RATIO ** (FAST[channel]! + 1)));
}

/** ln of the tail beyond which a departure of this channel is called unusual; slow channels have fewer chances to be wrong. */
function lnLimit(channel: number, lnRare: number): number {
  return lnRare + FAST[channel]! * Math.log(RATIO);
}

function scaleOf(tails: Float64Array, place: number, freedom: number, floor: number): number {
  return Math.sqrt((tails[place + 1]! * (freedom - 2)) / freedom + floor * floor);
}

/** 0 = usual, 1 = as rare as `lnRare` allows. `floor` is the smallest spread a sensor of this resolution can have. */
export function scoreOf(
  tails: Float64Array,
  channel: number,
  departure: number,
  rows: number,
  floor: number,
  lnRare: number,
): number {
  const size = Math.abs(departure);
  if (size === 0) return 0;
  const place = at(channel, departure);
  const freedom = freedomOf(tails, place);
  const scale = scaleOf(tails, place, freedom, floor);
  if (!(scale > 0)) return 0;
  return lnStudentTail(size / scale, Math.min(freedom, independent(channel, rows))) / lnLimit(channel, lnRare);
}

/** The departure at which the score reaches 1. */
export function limitOf(
  tails: Float64Array,
  channel: number,
  sign: number,
  rows: number,
  floor: number,
  lnRare: number,
): number {
  const place = at(channel, sign);
  const freedom = freedomOf(tails, place);
  const scale = scaleOf(tails, place, freedom, floor);
  return scale * studentQuantile(lnLimit(channel, lnRare), Math.min(freedom, independent(channel, rows)));
}

/** One more departure. What was called unusual (`score` ≥ 1) counts as a wide but not as a wild one. */
export function learnTail(tails: Float64Array, channel: number, departure: number, score: number): void {
  const place = at(channel, departure);
  const rows = Math.min(MEMORY * Math.max(1, RATIO ** (FAST[channel]! - 1)), tails[place]! + 1);
  const square = tails[place + 1]!;
  const seen = score >= 1 ? Math.min(departure * departure, 16 * square) : departure * departure;
  tails[place] = rows;
  tails[place + 1] = square + (seen - square) / rows;
  tails[place + 2]! += (seen * seen - tails[place + 2]!) / rows;
}
