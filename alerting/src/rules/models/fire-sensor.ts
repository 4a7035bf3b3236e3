/** What a sensor in a room can tell of a fire, in the order of the fusion's inputs. */
export const FIRE_METRICS = ['temperature', 'smoke_density', 'co'] as const;
export const TEMPERATURE = 0;
export const SMOKE = 1;
export const CO = 2;

/** Numbers of one sensor's state. */
export const SENSOR_SIZE = 7;
/** Detector and metric in one number; NaN = free. */
export const KEY = 0;
/** Time of the last reading (ms), the reading, and what two readings in a row agree on: the lower of the last two. */
export const TIME = 1;
const VALUE = 2;
export const SHOWN = 3;
/** Mean of the last minute, usual value, and standard deviation of the noise (NaN until the second reading). */
export const MINUTE = 4;
export const USUAL = 5;
export const NOISE = 6;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** How much of a turn (up, then down, or the lesser of both) there is in white noise of standard deviation 1: its inverse. */
const TURN = 1.66;

/**
 * How a metric behaves in a room without fire. `noise`: the least we believe of any sensor (its resolution, the draught). `up`, `down`:
 * time constants (ms) by which the usual value follows. Upwards it is slow, or it would follow a smouldering fire: sun and
 * season for temperature (a class R heat detector of EN 54-5 must not answer to 1 K/min either), soiling for smoke and CO.
 * Downwards it is quick, but by no more than `slew` per ms, and hardly at all when the sensor fell by more than `fall` at once: one that
 * reads 0 for a while must not come back as a fire.
 */
interface Habit {
  valid: readonly [number, number];
  noise: number;
  up: number;
  down: number;
  slew: number;
  fall: number;
}

const HABITS: readonly Habit[] = [
  { valid: [-60, 1300], noise: 0.1, up: HOUR_MS, down: 2 * MINUTE_MS, slew: 3 / MINUTE_MS, fall: 8 },
  { valid: [-1, 100], noise: 0.001, up: 12 * HOUR_MS, down: 5 * MINUTE_MS, slew: 0.05 / MINUTE_MS, fall: 0.5 },
  { valid: [-100, 100_000], noise: 1, up: 12 * HOUR_MS, down: 5 * MINUTE_MS, slew: 30 / MINUTE_MS, fall: 300 },
];

/** A first-order lag after `dt` of an input that went straight from `from` to `to`: the same at any sampling interval. */
function lag(mean: number, from: number, to: number, dt: number, tau: number): number {
  const behind = ((to - from) / dt) * tau;
  return to - behind + (mean - from + behind) * Math.exp(-dt / tau);
}

/** One reading into a sensor's state at `at`. Impossible values are passed over; `learn` false keeps the usual value and the noise as they are. */
export function follow(state: Float64Array, at: number, metric: number, value: number, time: number, learn: boolean) {
  const habit = HABITS[metric]!;
  if (!(value >= habit.valid[0] && value <= habit.valid[1])) return;
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
  const up = last - before;
  if (up > 0) state[at + NOISE] = noisier(state[at + NOISE]!, Math.min(up, Math.max(0, last - value)), habit.noise);
}

/** Quick to believe in noise, slow to forget it; one wild reading counts little. */
function noisier(noise: number, turn: number, least: number): number {
  const seen = TURN * Math.min(turn, 6 * noise);
  return Math.max(least, noise + (seen - noise) * (seen > noise ? 1 / 4 : 1 / 32));
}
