import { HABIT_SIZE, habitAt, learnHabit, startHabit } from './baseline-habit.ts';
import {
  CHANNELS,
  learnTail,
  limitOf,
  MEANS,
  RATIO,
  RESTLESS,
  SIGNALS,
  scoreOf,
  TAILS_SIZE,
} from './baseline-scales.ts';

/** Places of the model's numbers. */
const TIME = 0;
/** The last three values: their median is judged, so one glitch is nothing. */
const LAST = 1;
const STEP = 4;
const SEEN = 5;
const LEARNED = 6;
const QUANTUM = 7;
export const SCORE = 8;
const BARRIER = 9;
export const CHANNEL = 10;
export const DEPARTURE = 11;
export const EXPECTED = 12;
const MEANS_AT = 13;
const RESTLESS_AT = MEANS_AT + MEANS;
const TAILS_AT = RESTLESS_AT + 2;
const HABIT_AT = TAILS_AT + TAILS_SIZE;
export const BASELINE_SIZE = HABIT_AT + HABIT_SIZE;

export interface BaselineSettings {
  /** Expected time between two false departures of one series, days. */
  rareDays: number;
  /** Rows before anything is judged. */
  warmUp: number;
  refractory: number;
}

/** ln of the chance of a row that is so rare. */
function lnRareOf(model: Float64Array, rareDays: number): number {
  return Math.min(-7, Math.log(Math.max(1, model[STEP]!) / (rareDays * 86_400_000)));
}

function median(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}

/** Takes one reading and gives its novelty: how rare its departure is beyond what has been reported already. */
export function stepBaseline(
  model: Float64Array,
  time: number,
  raw: number,
  learn: boolean,
  { rareDays, warmUp, refractory }: BaselineSettings,
): number {
  const habit = model.subarray(HABIT_AT, HABIT_AT + HABIT_SIZE);
  const tails = model.subarray(TAILS_AT, TAILS_AT + TAILS_SIZE);
  if (Number.isNaN(model[TIME]!)) {
    model.fill(0);
    model.fill(raw, LAST, LAST + 3);
    model.fill(raw, MEANS_AT, MEANS_AT + MEANS);
    startHabit(habit, raw);
    model[TIME] = time;
    model[SEEN] = 1;
    model[EXPECTED] = raw;
    return 0;
  }
  const elapsed = Math.max(1, time - model[TIME]!);
  model[TIME] = time;
  const seen = (model[SEEN] = model[SEEN]! + 1);
  // Typical interval: a running geometric mean that a gap moves little.
  const step =
    model[STEP] === 0
      ? elapsed
      : model[STEP]! * Math.min(4, Math.max(0.25, elapsed / model[STEP]!)) ** Math.max(0.02, 1 / seen);
  model[STEP] = step;
  const change = Math.abs(raw - model[LAST]!);
  if (change > 0 && (model[QUANTUM] === 0 || change < model[QUANTUM]!)) model[QUANTUM] = change;
  model.copyWithin(LAST + 1, LAST, LAST + 2);
  model[LAST] = raw;
  const value = median(raw, model[LAST + 1]!, model[LAST + 2]!);
  const offset = habitAt(habit, time);
  const rest = value - offset;
  const rows = elapsed / step;
  const stir = Math.abs(rest - model[MEANS_AT]!);
  for (let i = 0; i < 2; i++) {
    const share = Math.max(1 - Math.exp(-1 / RATIO ** (2 * i + 2)), 1 / seen);
    model[RESTLESS_AT + i]! += share * (stir - model[RESTLESS_AT + i]!);
  }
  for (let i = 0; i < MEANS; i++) {
    const share = i === 0 ? 1 : Math.max(1 - Math.exp(-rows / RATIO ** i), Math.min(1, rows / seen));
    model[MEANS_AT + i]! += share * (rest - model[MEANS_AT + i]!);
  }
  const ready = model[LEARNED]! >= warmUp;
  const lnRare = lnRareOf(model, rareDays);
  const floor = model[QUANTUM]! / 2;
  let worst = 0;
  for (let channel = 0; channel < SIGNALS; channel++) {
    const [fast, slow] = CHANNELS[channel] ?? [0, 0];
    const departure =
      channel === RESTLESS
        ? model[RESTLESS_AT + 1]! + floor > 0
          ? Math.log((model[RESTLESS_AT]! + floor / 2) / (model[RESTLESS_AT + 1]! + floor / 2))
          : 0
        : model[MEANS_AT + fast]! - model[MEANS_AT + slow]!;
    const score = ready
      ? scoreOf(tails, channel, departure, model[LEARNED]!, channel === RESTLESS ? 0.1 : floor, lnRare)
      : 0;
    if (score > worst) {
      worst = score;
      model[CHANNEL] = channel;
      model[DEPARTURE] = departure;
      model[EXPECTED] = model[MEANS_AT + slow]! + offset;
    }
    if (learn) learnTail(tails, channel, departure, score);
  }
  if (learn) {
    model[LEARNED]! += 1;
    learnHabit(habit, time, elapsed, value);
  }
  const barrier = model[BARRIER]! * Math.exp(-rows / refractory);
  const novelty = worst - barrier;
  model[SCORE] = Math.max(0, novelty);
  // What has been reported is known: only what goes well beyond it is news.
  model[BARRIER] = novelty >= 1 || (worst >= 1 && barrier > 0) ? Math.max(barrier, worst) : barrier;
  return model[SCORE]!;
}

/** What is normal now: the middle and the values at which the score reaches 1; null while it still learns. */
export function baselineBand(
  model: Float64Array,
  { rareDays, warmUp }: BaselineSettings,
): { centre: number; low: number; high: number } | null {
  if (!(model[LEARNED]! >= warmUp)) return null;
  const tails = model.subarray(TAILS_AT, TAILS_AT + TAILS_SIZE);
  const offset = habitAt(model.subarray(HABIT_AT, HABIT_AT + HABIT_SIZE), model[TIME]!);
  const floor = model[QUANTUM]! / 2;
  const lnRare = lnRareOf(model, rareDays);
  const edge = (sign: number): number => {
    const [jump, swing] = [0, 1].map((channel) => {
      const keep = 1 - Math.exp(-1 / RATIO ** CHANNELS[channel]![1]);
      return (
        model[MEANS_AT + CHANNELS[channel]![1]]! +
        (sign * limitOf(tails, channel, sign, model[LEARNED]!, floor, lnRare)) / (1 - keep)
      );
    });
    return offset + (sign > 0 ? Math.min(jump!, swing!) : Math.max(jump!, swing!));
  };
  return { centre: model[MEANS_AT + 2]! + offset, low: edge(-1), high: edge(1) };
}
