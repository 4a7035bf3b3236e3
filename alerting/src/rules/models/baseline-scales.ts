import { lnStudentTail } from './baseline-tail.ts';

/** Running means of the series, each six times slower than the one before; the first is the series itself. */
export const MEANS = 6;
export const RATIO = 6;
/** Differences between a fast and a slow mean: jumps first, changes over many days last. */
export const DIFFERENCES: readonly (readonly [fast: number, slow: number])[] = [
  [0, 1],
  [0, 2],
  [1, 3],
  [2, 4],
  [3, 5],
];
/** One more channel: how restless the series is from row to row. Noise that swells, a sensor that has stuck. */
export const RESTLESS = DIFFERENCES.length;
export const CHANNELS = RESTLESS + 1;
/** Pace of a channel: the running mean whose speed it has. */
const PACES = [...DIFFERENCES.map(([fast]) => fast), 2];

/** Of one side (above, below) of a channel: rows seen, mean square, mean fourth power, a high quantile, mean excess over it, excesses seen. */
const ROWS = 0;
const SQUARE = 1;
const FOURTH = 2;
const HIGH = 3;
const EXCESS = 4;
const EXCESSES = 5;
const SIDE = 6;
export const TAILS_SIZE = 2 * SIDE * CHANNELS;

/** Rows of memory; slow channels remember longer, for they tell less in a row. Excesses remembered. */
const MEMORY = 10_000;
const EXCESS_MEMORY = 300;
/** Share of all rows beyond the high quantile of one side. */
const BEYOND = 0.02;
/** Rows of its pace that the other side's past is worth. */
const LEAN = 10;
/** Independent rows from which on the excesses tell something. */
const TRUSTED = 20;

/** What the tails are judged by. */
export interface Rarity {
  /** Rows learned so far. */
  rows: number;
  /** ln of the chance of a row that is rare enough to be told. */
  lnRare: number;
  /** Smallest spread that a sensor of this resolution can have. */
  floor: number;
}

function placeOf(channel: number, departure: number): number {
  return (2 * channel + (departure < 0 ? 1 : 0)) * SIDE;
}

/** A moment of one side, leaning on both sides while this one was seldom visited. */
function momentOf(tails: Float64Array, channel: number, at: number, moment: number): number {
  const other = placeOf(channel, at === placeOf(channel, 1) ? -1 : 1);
  const rows = tails[at + ROWS]!;
  const others = tails[other + ROWS]!;
  if (rows + others === 0) return 0;
  const both = (rows * tails[at + moment]! + others * tails[other + moment]!) / (rows + others);
  const lean = LEAN * RATIO ** (PACES[channel]! + 1);
  return (rows * tails[at + moment]! + lean * both) / (rows + lean);
}

/**
 * 0 = usual (within all but 2 % of what was seen on this side), 1 = as rare as `lnRare` allows, which for slow channels is less rare: they
 * have fewer chances to be wrong. Two views of the tail are taken: Student's t with as many degrees of freedom as the fourth moment speaks for,
 * never more than there were independent rows; and, where that is the more alarming, its mean with an exponential tail of the excesses.
 */
export function scoreOf(
  tails: Float64Array,
  channel: number,
  departure: number,
  { rows, lnRare, floor }: Rarity,
): number {
  const size = Math.abs(departure);
  const at = placeOf(channel, departure);
  const over = size - tails[at + HIGH]!;
  if (size === 0 || over <= 0) return 0;
  const square = momentOf(tails, channel, at, SQUARE);
  const kurtosis = square > 0 ? momentOf(tails, channel, at, FOURTH) / (square * square) : 3;
  const freedom = kurtosis > 3.05 ? 4 + 6 / (kurtosis - 3) : 124;
  const scale = Math.sqrt((square * (freedom - 2)) / freedom + floor * floor);
  const independent = Math.max(0.5, rows / (2 * RATIO ** (PACES[channel]! + 1)));
  const lnLimit = lnRare + PACES[channel]! * Math.log(RATIO);
  const powerful = lnStudentTail(size / scale, Math.min(freedom, independent));
  const seen = tails[at + EXCESSES]!;
  if (independent < TRUSTED || seen < TRUSTED / 4) return powerful / lnLimit;
  const excess = Math.sqrt(tails[at + EXCESS]! ** 2 * (1 + 4 / seen) + floor * floor);
  const exponential = Math.log(BEYOND) - over / excess;
  return Math.min(powerful, 0.5 * (powerful + exponential)) / lnLimit;
}

/** The departure on one side at which the score reaches 1. */
export function limitOf(tails: Float64Array, channel: number, sign: 1 | -1, rarity: Rarity): number {
  let low = 0;
  let high = Math.max(rarity.floor, tails[placeOf(channel, sign) + HIGH]!, Number.MIN_VALUE);
  while (scoreOf(tails, channel, sign * high, rarity) < 1 && high < Number.MAX_VALUE / 4) high *= 2;
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (scoreOf(tails, channel, sign * middle, rarity) < 1) low = middle;
    else high = middle;
  }
  return high;
}

/** One more departure. What was told as unusual (`score` ≥ 1) counts as a wide one, not as a wild one. */
export function learnTail(tails: Float64Array, channel: number, departure: number, score: number): void {
  const at = placeOf(channel, departure);
  const rows = Math.min(MEMORY * Math.max(1, RATIO ** (PACES[channel]! - 1)), tails[at + ROWS]! + 1);
  const square = tails[at + SQUARE]!;
  const usual = momentOf(tails, channel, at, SQUARE);
  const seen = score >= 1 && usual > 0 ? Math.min(departure * departure, 16 * usual) : departure * departure;
  const size = Math.sqrt(seen);
  const spread = Math.sqrt(square);
  const high = rows < TRUSTED ? 2 * spread : tails[at + HIGH]!;
  tails[at + ROWS] = rows;
  if (size > high && rows > 50) {
    const excesses = Math.min(EXCESS_MEMORY, tails[at + EXCESSES]! + 1);
    tails[at + EXCESSES] = excesses;
    tails[at + EXCESS]! += (size - high - tails[at + EXCESS]!) / excesses;
  }
  // Robbins–Monro: up by what lies beyond, down by what does not; half of all rows are on this side.
  const stride = 2 * spread * Math.max(0.002, Math.min(1, 10 / rows));
  tails[at + HIGH] = Math.max(0, high + stride * ((size > high ? 1 : 0) - 2 * BEYOND));
  tails[at + SQUARE] = square + (seen - square) / rows;
  tails[at + FOURTH]! += (seen * seen - tails[at + FOURTH]!) / rows;
}
