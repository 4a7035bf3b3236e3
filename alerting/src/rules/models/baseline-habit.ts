/**
 * The daily and weekly habit of one series in 116 numbers. Phases are counted in UTC: a local clock only turns the circle, and a habit
 * that moves by an hour is learned anew within days.
 */
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** 1970-01-01 was a Thursday; where a week begins does not matter as long as it stays. */
const DAILY = { period: DAY, bins: 24, memory: 21 } as const;
const WEEKLY = { period: WEEK, bins: 28, memory: 8 } as const;

/** Places in a cycle's block: level that it swings around, benefit (Σ predicted · seen, Σ predicted²), spread, then offset and visits of each bin. */
const LEVEL = 0;
const TOGETHER = 1;
const ALONE = 2;
const SPREAD = 3;
const BINS = 4;

type Cycle = typeof DAILY | typeof WEEKLY;

export const HABIT_SIZE = 2 * BINS + 2 * DAILY.bins + 2 * WEEKLY.bins;
const WEEKLY_AT = BINS + 2 * DAILY.bins;

/** Offset of a cycle at a time: straight lines between the middles of its bins. */
function offsetAt(block: Float64Array, at: number, cycle: Cycle, time: number): number {
  const place = ((time % cycle.period) / cycle.period) * cycle.bins - 0.5;
  const left = Math.floor(place);
  const share = place - left;
  const a = block[at + BINS + ((left + cycle.bins) % cycle.bins)]!;
  const b = block[at + BINS + ((left + 1) % cycle.bins)]!;
  return a + share * (b - a);
}

/** How much of the offset has come true so far (0 to 1): a cycle that is not there is worth nothing. */
function worth(block: Float64Array, at: number): number {
  const alone = block[at + ALONE]!;
  return alone > 0 ? Math.min(1, Math.max(0, block[at + TOGETHER]! / alone)) : 0;
}

function learnCycle(block: Float64Array, at: number, cycle: Cycle, time: number, elapsed: number, value: number): void {
  const step = Math.min(1, elapsed / cycle.period);
  const offset = offsetAt(block, at, cycle, time);
  const swing = value - block[at + LEVEL]!;
  const memory = Math.exp((-step * 3) / cycle.memory);
  block[at + TOGETHER] = block[at + TOGETHER]! * memory + step * offset * swing;
  block[at + ALONE] = block[at + ALONE]! * memory + step * offset * offset;
  const bin = Math.min(1, step * cycle.bins);
  const place = ((time % cycle.period) / cycle.period) * cycle.bins - 0.5;
  const left = Math.floor(place);
  const share = place - left;
  const spread = block[at + SPREAD]!;
  const limit = 3 * Math.sqrt(spread);
  const error = spread > 0 ? Math.min(limit, Math.max(-limit, swing - offset)) : swing - offset;
  for (let side = 0; side < 2; side++) {
    const index = (left + side + cycle.bins) % cycle.bins;
    const part = bin * (side === 0 ? 1 - share : share);
    const visits = block[at + BINS + cycle.bins + index]! + part;
    block[at + BINS + cycle.bins + index] = visits;
    block[at + BINS + index]! += (part / Math.min(cycle.memory, Math.max(1, visits))) * error;
  }
  const slow = Math.min(1, (step * 3) / cycle.memory + (spread === 0 ? 1 : 0));
  block[at + SPREAD] = spread + slow * (swing * swing - spread);
  block[at + LEVEL]! += (1 - Math.exp(-step)) * (swing - worth(block, at) * offset);
}

export function startHabit(habit: Float64Array, value: number): void {
  habit.fill(0);
  habit[LEVEL] = value;
  habit[WEEKLY_AT + LEVEL] = value;
}

/** What the habit adds at a time, in the metric's unit. */
export function habitAt(habit: Float64Array, time: number): number {
  return (
    worth(habit, 0) * offsetAt(habit, 0, DAILY, time) +
    worth(habit, WEEKLY_AT) * offsetAt(habit, WEEKLY_AT, WEEKLY, time)
  );
}

/** One more reading, `elapsed` ms after the one before. */
export function learnHabit(habit: Float64Array, time: number, elapsed: number, value: number): void {
  const daily = worth(habit, 0) * offsetAt(habit, 0, DAILY, time);
  const weekly = worth(habit, WEEKLY_AT) * offsetAt(habit, WEEKLY_AT, WEEKLY, time);
  learnCycle(habit, 0, DAILY, time, elapsed, value - weekly);
  learnCycle(habit, WEEKLY_AT, WEEKLY, time, elapsed, value - daily);
}
