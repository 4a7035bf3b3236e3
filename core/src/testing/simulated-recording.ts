import { between, createNoise, gaussian, seeded } from '../sensors/parts/noise.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What can befall a machine or a room, from sudden to gradual. */
export type Trouble = 'shutdown' | 'shift' | 'ramp' | 'failure' | 'noise' | 'stuck' | 'subtle' | 'nocycle' | 'spike';

/** A series of one sensor over weeks or months. Spreads are standard deviations in its unit. */
export interface Habits {
  rows: number;
  intervalMs: number;
  level: number;
  /** Height of the daily rhythm, and how much of it weekends lack (0 to 1). */
  daily: number;
  weekly: number;
  /** Wandering over days, over some rows, and white. */
  slow: number;
  fast: number;
  white: number;
  /** Excursions that belong to its life, over the whole recording; how wild they and the fast wandering are (0 = normal). */
  excursions: number;
  wild: number;
  /** Way the level goes over the whole recording, in spreads. */
  drift: number;
  glitches: number;
  gaps: number;
  irregular: boolean;
  /** Step of its converter; 0 = none. */
  quantum: number;
}

export interface SimulatedRecording {
  times: number[];
  values: number[];
  /** Around each trouble, together a tenth of the rows. */
  windows: [from: number, to: number][];
}

const PLAIN: Habits = {
  ...{ rows: 16_000, intervalMs: 5 * MINUTE, level: 85, daily: 0, weekly: 0, slow: 3, fast: 1.5, white: 0.4 },
  ...{ excursions: 0, wild: 0, drift: 0, glitches: 0, gaps: 0, irregular: false, quantum: 0 },
};

interface Case {
  trouble: Trouble;
  at: number;
  length: number;
  size: number;
}

/** What a trouble makes of a value, `row` rows after its begin; `spread` is how far the series goes by itself. */
function suffer(
  one: Case,
  row: number,
  value: number,
  habits: Habits,
  cycle: number,
  spread: number,
  random: () => number,
): number {
  const share = row / one.length;
  const size = one.size * spread;
  if (row >= one.length) {
    // What has stopped comes back in a fifth of the time.
    const back = (share - 1) * 5;
    return (one.trouble === 'failure' || one.trouble === 'shutdown') && back < 1
      ? value - (1 - back) * 0.6 * spread
      : value;
  }
  switch (one.trouble) {
    case 'shutdown':
      return (
        habits.level * 0.3 +
        (value - habits.level) * 0.1 +
        (row < 4 ? (value - habits.level * 0.3) * (0.75 - row / 4) : 0)
      );
    case 'shift':
      return value + 0.9 * size;
    case 'ramp':
      return value + 1.4 * size * share;
    case 'failure':
      return value - Math.abs(size) * (share < 0.7 ? 0.5 * share : 2);
    case 'noise':
      return value + 0.35 * size * gaussian(random);
    case 'subtle':
      return value + 0.45 * size;
    case 'nocycle':
      return value - cycle;
    case 'spike':
      return row < 3 ? value + 1.5 * size : value;
    case 'stuck':
      return value;
  }
}

/** The same seed gives the same recording. Troubles come in the last three quarters, in the order given. */
export function simulateRecording(
  seed: number,
  given: Partial<Habits>,
  troubles: readonly Trouble[] = [],
): SimulatedRecording {
  const random = seeded(seed);
  const habits = { ...PLAIN, ...given };
  const { rows, intervalMs, daily, weekly, wild } = habits;
  const slow = createNoise(random, habits.slow, Math.max(2.5 * DAY, (rows * intervalMs) / 30) / 1000);
  const fast = createNoise(random, habits.fast, (intervalMs * between(random, 10, 40)) / 1000);
  const spread = 3 * Math.hypot(daily * 0.7, habits.slow, habits.fast, habits.white);
  const [phase, second] = [between(random, 0, 2 * Math.PI), between(random, 0, 2 * Math.PI)];
  const window = troubles.length > 0 ? (0.1 * rows) / troubles.length : 0;
  const cases = troubles.map((trouble, i): Case => {
    const at = Math.floor(rows * (0.25 + (0.7 * (i + between(random, 0.2, 0.8))) / troubles.length));
    const size = between(random, 0.8, 1.4) * (random() < 0.75 ? -1 : 1);
    return { trouble, at, size, length: Math.max(4, Math.floor(window * between(random, 0.15, 0.65))) };
  });
  const times: number[] = [];
  const values: number[] = [];
  let time = Date.UTC(2014, 0, 6) + Math.floor(7 * random()) * DAY;
  let excursion = 0;
  let left = 0;
  let shown = 0;
  let burst = 0;
  const chance = (times: number) => random() < times / rows;
  for (let row = 0; row < rows; row++) {
    const step = habits.irregular ? Math.max(1000, intervalMs * between(random, 0.5, 1.5)) : intervalMs;
    const missing = chance(habits.gaps) ? intervalMs * Math.floor(5 + 300 * random() * random()) : 0;
    time += step + missing;
    const seconds = (step + missing) / 1000;
    const angle = (2 * Math.PI * (time % DAY)) / DAY;
    const weekend = [0, 6].includes(new Date(time).getUTCDay());
    const cycle = daily * (Math.sin(angle + phase) + 0.4 * Math.sin(2 * angle + second));
    if (left-- <= 0) excursion = 0;
    if (left < 0 && chance(habits.excursions)) {
      left = Math.ceil(between(random, 2, 32));
      excursion = -spread * between(random, 0.2, 0.55) * (wild > 1 ? wild * random() : 1);
    }
    shown += 0.3 * (excursion - shown);
    // Wildness: now and then the fast wandering is given a kick.
    burst = wild > 0 ? 0.93 * burst + (random() < 0.05 ? wild * 0.5 * habits.fast * gaussian(random) : 0) : 0;
    let value = habits.level + cycle * (weekend ? 1 - 0.6 * weekly : 1) - (weekend ? 0.8 * weekly * daily : 0);
    value +=
      slow(seconds) +
      fast(seconds) +
      burst +
      habits.white * gaussian(random) +
      shown +
      (habits.drift * spread * row) / rows;
    for (const one of cases) if (row >= one.at) value = suffer(one, row - one.at, value, habits, cycle, spread, random);
    const stuck = cases.find(({ trouble, at, length }) => trouble === 'stuck' && row >= at && row < at + length);
    if (stuck) value = values[stuck.at - 1]!;
    if (chance(habits.glitches)) value += 3 * spread * gaussian(random);
    times.push(Math.round(time));
    values.push(habits.quantum > 0 ? Math.round(value / habits.quantum) * habits.quantum : value);
  }
  const windows = cases.map(({ at }): [number, number] => [
    times[Math.max(0, Math.floor(at - 0.35 * window))]!,
    times[Math.min(rows - 1, Math.floor(at + 0.65 * window))]!,
  ]);
  return { times, values, windows };
}

const MACHINE = { slow: 4, fast: 2, wild: 1 };
const ROOM = { intervalMs: HOUR, rows: 7000, level: 22, daily: 2.5, weekly: 0.6, slow: 2, fast: 0.8, white: 0.3 };

/** Machines, rooms, quick and slow sensors, tame and wild, with and without trouble: what a detector must do well on all at once. */
export const RECORDINGS: readonly { name: string; habits: Partial<Habits>; troubles: readonly Trouble[] }[] = [
  {
    name: 'machine',
    habits: { ...MACHINE, rows: 22_000, daily: 1, excursions: 12 },
    troubles: ['shutdown', 'subtle', 'failure'],
  },
  {
    name: 'machine, gaps',
    habits: { ...MACHINE, rows: 20_000, slow: 5, excursions: 20, gaps: 4 },
    troubles: ['shift', 'ramp', 'failure'],
  },
  {
    name: 'machine, glitches',
    habits: { ...MACHINE, daily: 2, excursions: 8, glitches: 4 },
    troubles: ['noise', 'shutdown'],
  },
  {
    name: 'machine, wandering',
    habits: { rows: 12_000, slow: 6, fast: 1, white: 1, excursions: 6 },
    troubles: ['subtle', 'ramp'],
  },
  { name: 'machine, wild', habits: { ...MACHINE, wild: 3, excursions: 30 }, troubles: ['shutdown', 'failure'] },
  {
    name: 'machine, wilder',
    habits: { ...MACHINE, slow: 2, fast: 1, wild: 4, excursions: 12 },
    troubles: ['shutdown', 'noise', 'shift'],
  },
  { name: 'room', habits: { ...ROOM, gaps: 5 }, troubles: ['shift', 'nocycle'] },
  { name: 'room, no weekends', habits: { ...ROOM, weekly: 0, slow: 3, fast: 1, wild: 1 }, troubles: ['ramp', 'spike'] },
  { name: 'room, tenths', habits: { ...ROOM, rows: 6000, daily: 3, quantum: 0.1 }, troubles: ['subtle', 'shift'] },
  {
    name: 'room, irregular',
    habits: { ...ROOM, intervalMs: 10 * MINUTE, rows: 12_000, slow: 1.5, irregular: true, quantum: 0.1 },
    troubles: ['nocycle', 'ramp'],
  },
  { name: 'room, wild', habits: { ...ROOM, wild: 3, excursions: 30 }, troubles: ['ramp', 'shift'] },
  {
    name: 'every minute',
    habits: { ...ROOM, intervalMs: MINUTE, rows: 20_000, slow: 1.5, fast: 0.5, quantum: 0.1 },
    troubles: ['shift', 'spike'],
  },
  {
    name: 'every second',
    habits: { intervalMs: 1000, rows: 15_000, level: 60, slow: 0.3, fast: 0.5, white: 0.5, drift: 1 },
    troubles: ['shift', 'noise'],
  },
  { name: 'drifting', habits: { daily: 2, slow: 2, fast: 1, drift: 2 }, troubles: ['shift', 'stuck'] },
  { name: 'quiet machine', habits: { ...MACHINE, rows: 20_000, daily: 1, excursions: 15, glitches: 5 }, troubles: [] },
  { name: 'quiet room', habits: { ...ROOM, rows: 8000, slow: 3, fast: 1, drift: 1, gaps: 5 }, troubles: [] },
];
