import { between, createLag } from './noise.ts';

/** Harmless things that happen now and then: cooking, a shower, a car warmed up, an iron switched on. */
export interface EpisodeHabit {
  /** How many a day when `weight` is 1 all day. */
  perDay: number;
  /** 0 to 1 by hour of the local day. */
  weight: (hour: number) => number;
  amplitude: readonly [number, number];
  minutes: readonly [number, number];
  /** How fast the level follows (s). */
  tau: number;
}

/** Level of such episodes over time. A step may hold quiet, episode and decay; each part is exact. */
export function createEpisodes(random: () => number, habit: EpisodeHabit): (hour: number, dt: number) => number {
  const level = createLag(habit.tau, 0);
  let left = 0;
  let amplitude = 0;
  return (hour, dt) => {
    let rest = dt;
    if (left <= 0 && random() < 1 - Math.exp((-habit.perDay * habit.weight(hour) * dt) / 86_400)) {
      const quiet = rest * random();
      level.step(0, quiet);
      rest -= quiet;
      left = 60 * between(random, ...habit.minutes);
      amplitude = between(random, ...habit.amplitude);
    }
    if (left > 0) {
      const during = Math.min(left, rest);
      level.step(amplitude, during);
      left -= during;
      rest -= during;
    }
    return level.step(0, rest);
  };
}
