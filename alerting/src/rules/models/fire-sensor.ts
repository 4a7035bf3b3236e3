/** What a sensor in a room can tell of a fire, in the order of the fusion's inputs. */
export const FIRE_METRICS = ['temperature', 'smoke_density', 'co'] as const;
export const TEMPERATURE = 0;
export const SMOKE = 1;
export const CO = 2;

/** Numbers of one sensor's state. */
export const SENSOR_SIZE = 8;
/** Detector and metric in one number; NaN = free. */
export const KEY = 0;
/** Time of the last reading (ms), the reading, and what two readings in a row agree on: the lower of the last two. */
export const TIME = 1;
export const VALUE = 2;
export const SHOWN = 3;
/** Mean of the last minute, usual value, and standard deviation of the noise (NaN until the second reading). */
export const MINUTE = 4;
export const USUAL = 5;
export const NOISE = 6;
/** ms between the last two readings; below 0 for good when the sensor has shown what its next reading took back. */
const GAP = 7;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Readings so far apart (ms; those of 10 s with some jitter) cannot wait for each other: the last one alone may warn, though not of fire. */
const SLOW_MS = 8000;
/** What is taken off it, in standard deviations, besides what is taken off every rise. */
const ALONE_DOUBT = 3;

/** How much of a turn (up, then down, or the lesser of both) there is in white noise of standard deviation 1: its inverse. */
const TURN = 1.66;

/**
 * How a metric behaves in a room without fire. `noise`: the least we believe of any sensor (its resolution, the draught). `up`, `down`:
 * time constants (ms) by which the usual value follows. Upwards it is slow, or it would follow a smouldering fire: sun and
 * season for temperature (a class R heat detector of EN 54-5 must not answer to 1 K/min either), soiling for smoke and CO.
 * Downwards it is quick, but by no more than `slew` per ms, and hardly at all when the sensor fell by more than `fall` at once: one that
 * reads 0 for a while must not come back as a fire. `leap`: a rise between two readings from which one that falls back is a false one,
 * and beyond which none is believed before the next.
 */
interface Habit {
  valid: readonly [number, number];
  noise: number;
  up: number;
  down: number;
  slew: number;
  fall: number;
  leap: readonly [number, number];
}

const HABITS: readonly Habit[] = [
  { valid: [-60, 1300], noise: 0.1, up: HOUR_MS, down: 2 * MINUTE_MS, slew: 3 / MINUTE_MS, fall: 8, leap: [2, 60] },
  {
    valid: [-1, 100],
    noise: 0.001,
    up: 12 * HOUR_MS,
    down: 5 * MINUTE_MS,
    slew: 0.05 / MINUTE_MS,
    fall: 0.5,
    leap: [0.04, 2],
  },
  {
    valid: [-100, 100_000],
    noise: 1,
    up: 12 * HOUR_MS,
    down: 5 * MINUTE_MS,
    slew: 30 / MINUTE_MS,
    fall: 300,
    leap: [20, 500],
  },
];

/** The least noise of each metric. */
export const NOISES: readonly number[] = HABITS.map(({ noise }) => noise);

export function plausible(metric: number, value: number): boolean {
  const { valid } = HABITS[metric]!;
  return value >= valid[0] && value <= valid[1];
}

/** A first-order lag after `dt` of an input that went straight from `from` to `to`: the same at any sampling interval. */
function lag(mean: number, from: number, to: number, dt: number, tau: number): number {
  const behind = ((to - from) / dt) * tau;
  return to - behind + (mean - from + behind) * Math.exp(-dt / tau);
}

/** One reading into a sensor's state at `at`. Impossible values are passed over; `learn` false keeps the usual value and the noise as they are. */
export function follow(state: Float64Array, at: number, metric: number, value: number, time: number, learn: boolean) {
  const habit = HABITS[metric]!;
  if (!plausible(metric, value)) return;
  const last = state[at + VALUE]!;
  const dt = time - state[at + TIME]!;
  state[at + TIME] = time;
  state[at + VALUE] = value;
  if (Number.isNaN(state[at + NOISE]!)) {
    // A first reading that was wild, or a lost one that came as 0, is no beginning: it would blind the sensor, or make what follows a fire.
    const mistaken = value < last - habit.fall || (last === 0 && value > habit.fall);
    state[at + SHOWN] = state[at + MINUTE] = state[at + USUAL] = mistaken || Number.isNaN(last) ? value : last;
    if (Number.isNaN(last)) return;
    state[at + NOISE] = habit.noise;
    if (mistaken) return;
  }
  const before = state[at + SHOWN]!;
  const up = last - before;
  const down = last - value;
  // Also while nothing is learned: what was shown falsely may have raised the alarm itself.
  if (state[at + GAP]! >= SLOW_MS && up >= habit.leap[0] && down > up / 2) state[at + GAP] = -1;
  if (!(state[at + GAP]! < 0)) state[at + GAP] = dt;
  const shown = Math.min(value, last);
  const usual = state[at + USUAL]!;
  const floor = (usual - shown > habit.fall ? habit.slew / 60 : habit.slew) * dt;
  state[at + SHOWN] = shown;
  state[at + MINUTE] = Math.max(lag(state[at + MINUTE]!, before, shown, dt, MINUTE_MS), state[at + MINUTE]! - floor);
  if (!learn) return;
  state[at + USUAL] =
    shown >= usual
      ? Math.min(shown, Math.max(usual, lag(usual, Math.max(usual, before), shown, dt, habit.up)))
      : Math.max(usual - floor, shown + (usual - shown) * Math.exp(-dt / habit.down));
  // Only turns count as noise, so that a rise does not hide itself.
  if (up > 0) state[at + NOISE] = noisier(state[at + NOISE]!, Math.min(up, Math.max(0, down)), habit.noise);
}

/** Quick to believe in noise, slow to forget it; one wild reading counts little. */
function noisier(noise: number, turn: number, least: number): number {
  const seen = TURN * Math.min(turn, 6 * noise);
  return Math.max(least, noise + (seen - noise) * (seen > noise ? 1 / 4 : 1 / 32));
}

/** What the last reading alone shows, where it may (slow sensors that have never shown a rise that was none); else the lower of the last two. */
export function shownAlone(state: Float64Array, at: number, metric: number): number {
  const shown = state[at + SHOWN]!;
  const value = state[at + VALUE]!;
  if (!(state[at + GAP]! >= SLOW_MS) || value - shown > HABITS[metric]!.leap[1]) return shown;
  return Math.max(shown, value - ALONE_DOUBT * state[at + NOISE]!);
}

/** The mean of the last minute to compare `shown` with, which came by the last reading alone: as if the next had agreed. */
export function minuteAlone(state: Float64Array, at: number, shown: number): number {
  return lag(state[at + MINUTE]!, state[at + SHOWN]!, shown, state[at + GAP]!, MINUTE_MS);
}

/** The usual value to compare it with: what comes every four hours may follow the day. */
export function usualAlone(state: Float64Array, at: number, metric: number, shown: number): number {
  const usual = state[at + USUAL]!;
  return Math.max(usual, lag(usual, Math.max(usual, state[at + SHOWN]!), shown, state[at + GAP]!, HABITS[metric]!.up));
}
