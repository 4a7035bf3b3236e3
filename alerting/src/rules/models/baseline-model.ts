import { HABIT_SIZE, habitAt, learnHabit, startHabit } from './baseline-habit.ts';
import {
  CHANNELS,
  DIFFERENCES,
  learnTail,
  limitOf,
  MEANS,
  RATIO,
  type Rarity,
  RESTLESS,
  scoreOf,
  TAILS_SIZE,
} from './baseline-scales.ts';

/** Places of the model's numbers: time of the last row; the last three values; typical interval (ms); rows seen and learned; smallest change. */
const TIME = 0;
const LAST = 1;
const INTERVAL = 4;
const SEEN = 5;
const LEARNED = 6;
const QUANTUM = 7;
/** How rare the last row was beyond what had been told already (1 = worth telling), and how rare the worst told lately was. */
export const NOVELTY = 8;
const TOLD = 9;
/** The most unusual of the last unusual row: its channel, departure, and the value that was expected. */
export const CHANNEL = 10;
export const DEPARTURE = 11;
export const EXPECTED = 12;
/** Intervals missed in the last gap, and rows since. */
const MISSED = 13;
const SINCE = 14;
const MEANS_AT = 15;
/** Mean change from row to row, short and long. */
const STIR_AT = MEANS_AT + MEANS;
const TAILS_AT = STIR_AT + 2;
const HABIT_AT = TAILS_AT + TAILS_SIZE;
export const BASELINE_SIZE = HABIT_AT + HABIT_SIZE;

/** Rows after which what was told is half-way forgotten (a day at five minutes). */
const REFRACTORY = 300;
/** Smallest spread of the logarithm of the restlessness: a tenth is nothing. */
const STIR_FLOOR = 0.1;
const DAY = 86_400_000;
/** Intervals from which on it is a gap. */
const GAP = 3;
/** Beyond this a value is as good as any other. */
const WIDEST = 1e60;
/** Rows that come faster tell hardly more. */
const MINUTE = 60_000;

export interface BaselineSettings {
  /** Days between two false departures of one series, as far as its past can tell. */
  rareDays: number;
  /** Rows before anything is judged. */
  warmUp: number;
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

function start(model: Float64Array, time: number, value: number): void {
  model.fill(0);
  model[TIME] = time;
  model.fill(value, LAST, LAST + 3);
  model.fill(value, MEANS_AT, MEANS_AT + MEANS);
  model[SEEN] = 1;
  model[EXPECTED] = value;
  startHabit(model.subarray(HABIT_AT), value);
}

/**
 * One reading: sets NOVELTY and what goes with it. The value (the median of three, so one glitch is nothing) less the habit is followed by
 * running means from rows to weeks; each difference between a fast and a slow one is compared with its own history.
 */
export function stepBaseline(
  model: Float64Array,
  time: number,
  reading: number,
  learn: boolean,
  settings: BaselineSettings,
): void {
  // Fourth powers must stay numbers.
  const raw = Math.max(-WIDEST, Math.min(WIDEST, reading));
  if (Number.isNaN(model[TIME]!)) {
    start(model, time, raw);
    return;
  }
  const elapsed = Math.max(1, time - model[TIME]!);
  const rows = takeRow(model, time, elapsed, raw);
  const value = median(raw, model[LAST + 1]!, model[LAST + 2]!);
  const habit = model.subarray(HABIT_AT);
  const offset = habitAt(habit, time);
  follow(model, value - offset, rows);
  const worst = judge(model, offset, learn, settings);
  const told = model[TOLD]! * Math.exp(-rows / REFRACTORY);
  model[NOVELTY] = Math.max(0, worst - told);
  // What was told is known while it lasts: only what goes well beyond it is news.
  model[TOLD] = worst >= 1 && (told > 0 || worst - told >= 1) ? Math.max(told, worst) : told;
  if (!learn) return;
  model[LEARNED]! += 1;
  learnHabit(habit, time, elapsed, value);
}

/** Notes value and time; how many typical intervals went by. */
function takeRow(model: Float64Array, time: number, elapsed: number, raw: number): number {
  model[TIME] = time;
  model[SEEN]! += 1;
  const typical = model[INTERVAL]!;
  // A running geometric mean, which a gap moves little.
  model[INTERVAL] =
    typical === 0
      ? elapsed
      : typical * Math.min(4, Math.max(0.25, elapsed / typical)) ** Math.max(0.02, 1 / model[SEEN]!);
  const change = Math.abs(raw - model[LAST]!);
  if (change > 0 && (model[QUANTUM] === 0 || change < model[QUANTUM]!)) model[QUANTUM] = change;
  const rows = elapsed / model[INTERVAL]!;
  model.copyWithin(LAST + 1, LAST, LAST + 2);
  model[LAST] = raw;
  model[SINCE]! += 1;
  if (rows >= GAP) {
    // What was before a gap says nothing of now.
    model.fill(raw, LAST, LAST + 3);
    model[MISSED] = rows;
    model[SINCE] = 0;
  }
  return rows;
}

/** Running means of what the habit does not explain. They are not learned but followed: after a gap they catch up. */
function follow(model: Float64Array, rest: number, rows: number): void {
  const seen = model[SEEN]!;
  // What happened in a gap is no restlessness.
  const stir = rows < GAP ? Math.abs(rest - model[MEANS_AT]!) : model[STIR_AT]!;
  for (let i = 0; i < 2; i++)
    model[STIR_AT + i]! += Math.max(-Math.expm1(-1 / RATIO ** (2 * i + 2)), 1 / seen) * (stir - model[STIR_AT + i]!);
  for (let i = 0; i < MEANS; i++) {
    const share = i === 0 ? 1 : Math.max(-Math.expm1(-rows / RATIO ** i), Math.min(1, rows / seen));
    model[MEANS_AT + i]! += share * (rest - model[MEANS_AT + i]!);
  }
}

function departureOf(model: Float64Array, channel: number): number {
  if (channel !== RESTLESS) {
    const [fast, slow] = DIFFERENCES[channel]!;
    return model[MEANS_AT + fast]! - model[MEANS_AT + slow]!;
  }
  const floor = model[QUANTUM]! / 4;
  return floor === 0 ? 0 : Math.log((model[STIR_AT]! + floor) / (model[STIR_AT + 1]! + floor));
}

/** A slow mean that had to catch up over a gap leans on few rows until it is filled again. */
function settled(model: Float64Array, channel: number): boolean {
  const filled = RATIO ** (DIFFERENCES[channel]?.[1] ?? 2);
  return 2 * model[MISSED]! < filled || model[SINCE]! >= filled;
}

function rarityOf(model: Float64Array, channel: number, rareDays: number): Rarity {
  return {
    rows: model[LEARNED]!,
    lnRare: Math.min(-7, Math.log(Math.max(MINUTE, model[INTERVAL]!) / (rareDays * DAY))),
    floor: channel === RESTLESS ? STIR_FLOOR : model[QUANTUM]! / 2,
  };
}

/** The highest score of all channels. */
function judge(model: Float64Array, offset: number, learn: boolean, { rareDays, warmUp }: BaselineSettings): number {
  const tails = model.subarray(TAILS_AT, HABIT_AT);
  const ready = model[LEARNED]! >= warmUp;
  const rarity = rarityOf(model, 0, rareDays);
  const { floor } = rarity;
  let worst = 0;
  for (let channel = 0; channel < CHANNELS; channel++) {
    if (!settled(model, channel)) continue;
    const departure = departureOf(model, channel);
    rarity.floor = channel === RESTLESS ? STIR_FLOOR : floor;
    const score = ready ? scoreOf(tails, channel, departure, rarity) : 0;
    if (score > worst) {
      worst = score;
      model[CHANNEL] = channel;
      model[DEPARTURE] = departure;
      model[EXPECTED] = model[MEANS_AT + (DIFFERENCES[channel]?.[1] ?? 2)]! + offset;
    }
    if (learn) learnTail(tails, channel, departure, score);
  }
  return worst;
}

/** How long the slow mean of the last unusual row looks back (ms). */
export function lookedBack(model: Float64Array): number {
  return model[INTERVAL]! * RATIO ** (DIFFERENCES[model[CHANNEL]!]?.[1] ?? 4);
}

/** The last value, the median of three. */
export function baselineValue(model: Float64Array): number {
  return median(model[LAST]!, model[LAST + 1]!, model[LAST + 2]!);
}

/** What is normal now: the middle, and where a value would be unusual at once; null while it still learns. */
export function baselineBand(
  model: Float64Array,
  { rareDays, warmUp }: BaselineSettings,
): { centre: number; low: number; high: number } | null {
  if (!(model[LEARNED]! >= warmUp)) return null;
  const tails = model.subarray(TAILS_AT, HABIT_AT);
  const offset = habitAt(model.subarray(HABIT_AT), model[TIME]!);
  // The value itself takes part in both means that it is compared with.
  const edge = (channel: number, sign: 1 | -1): number => {
    const slow = DIFFERENCES[channel]![1];
    const limit = limitOf(tails, channel, sign, rarityOf(model, channel, rareDays));
    return offset + model[MEANS_AT + slow]! + sign * limit * Math.exp(1 / RATIO ** slow);
  };
  const centre = offset + model[MEANS_AT + 2]!;
  return { centre, low: Math.max(edge(0, -1), edge(1, -1)), high: Math.min(edge(0, 1), edge(1, 1)) };
}
