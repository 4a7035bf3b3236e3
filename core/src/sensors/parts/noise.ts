/** A small, fast, seeded generator (mulberry32), uniform in [0, 1): the same seed gives the same device. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A standard normal number (Box–Muller). */
export function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Uniform in [low, high). */
export function between(random: () => number, low: number, high: number): number {
  return low + (high - low) * random();
}

/** What an analogue-to-digital converter with `perUnit` steps per unit makes of a value; no binary dust in the JSON. */
export function quantise(value: number, perUnit: number): number {
  return Math.round(value * perUnit) / perUnit;
}

/**
 * Ornstein–Uhlenbeck noise around zero with standard deviation `sigma` and correlation time `tau` (s).
 * The step is exact for any dt, so a model sampled every 4 h has the same spread as one sampled every second.
 */
export function createNoise(random: () => number, sigma: number, tau: number): (dt: number) => number {
  let value = sigma * gaussian(random);
  return (dt) => {
    const keep = Math.exp(-dt / tau);
    value = value * keep + sigma * Math.sqrt(1 - keep * keep) * gaussian(random);
    return value;
  };
}

/** First-order lag with time constant `tau` (s); exact for a target that is constant over the step, which may have a time constant of its own. */
export function createLag(
  tau: number,
  initial: number,
): { readonly value: number; step(target: number, dt: number, tau?: number): number } {
  let value = initial;
  return {
    get value() {
      return value;
    },
    step(target, dt, constant = tau) {
      value = target + (value - target) * Math.exp(-dt / constant);
      return value;
    },
  };
}
