import {
  CO,
  FIRE_METRICS,
  KEY,
  MINUTE,
  minuteAlone,
  NOISE,
  SENSOR_SIZE,
  SHOWN,
  SMOKE,
  shownAlone,
  TEMPERATURE,
  TIME,
  USUAL,
  usualAlone,
} from './fire-sensor.ts';

/** What one metric alone must show for an early warning; all else is told in parts of it. */
export interface FireScales {
  /** K within a minute. */
  heatBurst: number;
  /** K above the usual value. */
  heatRise: number;
  /** dB/m above the usual value. */
  smoke: number;
  /** ppm above the usual value. */
  co: number;
}

/** The most any sensor of the zone shows beyond its own noise, and how near that is to a warning (1 = there). */
export interface FireEvidence {
  /** K: above the mean of the last minute, and above the usual value. */
  burst: number;
  rise: number;
  /** dB/m: above the usual value; the part that is beyond doubt whatever the scale. */
  smoke: number;
  sureSmoke: number;
  /** ppm */
  co: number;
  /** How near to a fire temperature alone is. */
  heat: number;
  early: number;
  fire: number;
}

/** Standard deviations of noise taken off every rise; and those that make a rise of smoke sure. */
const DOUBT = 3;
const SURE = 6;
/** °C: lower end of the static response of heat detectors of class A1 (EN 54-5): with a rise, a fire. */
const HOT = 54;
/** K within a minute that distinguish a fire's heat from the sun's and the oven's. */
const LIVELY = 2;

/** Whether the sensor at `at` shows more than its usual value, if only by its last reading. */
export function rising(state: Float64Array, at: number): boolean {
  const metric = state[at + KEY]! % FIRE_METRICS.length;
  return shownAlone(state, at, metric) - state[at + USUAL]! > DOUBT * state[at + NOISE]!;
}

/**
 * Weighs the sensors from `first` to `end` that were heard at most `freshMs` before the latest. Their order does not matter. One reading of
 * a slow sensor may warn early; of fire none does before the next agrees.
 */
export function weigh(
  state: Float64Array,
  first: number,
  end: number,
  freshMs: number,
  scales: FireScales,
): FireEvidence {
  const out = gather(state, first, end, freshMs, scales, true);
  out.early = early(out, scales);
  if (out.early > 0) out.fire = fire(gather(state, first, end, freshMs, scales, false), scales);
  return out;
}

function gather(
  state: Float64Array,
  first: number,
  end: number,
  freshMs: number,
  scales: FireScales,
  alone: boolean,
): FireEvidence {
  const out = { burst: 0, rise: 0, smoke: 0, sureSmoke: 0, co: 0, heat: 0, early: 0, fire: 0 };
  let latest = -Infinity;
  for (let at = first; at < end; at += SENSOR_SIZE) if (state[at + TIME]! > latest) latest = state[at + TIME]!;
  for (let at = first; at < end; at += SENSOR_SIZE) {
    if (!(state[at + TIME]! >= latest - freshMs)) continue;
    const metric = state[at + KEY]! % FIRE_METRICS.length;
    const shown = alone ? shownAlone(state, at, metric) : state[at + SHOWN]!;
    const noise = state[at + NOISE]!;
    const doubt = DOUBT * noise;
    const lone = shown > state[at + SHOWN]!;
    const rise = shown - (lone ? usualAlone(state, at, metric, shown) : state[at + USUAL]!) - doubt;
    if (!(rise > 0)) continue;
    if (metric === TEMPERATURE) {
      // Air that only comes back to its usual warmth, after a window was closed, is no burst.
      const minute = lone ? minuteAlone(state, at, shown) : state[at + MINUTE]!;
      const burst = Math.min(rise, shown - minute - doubt);
      const heat = rise / (burst >= LIVELY ? scales.heatRise : 1.75 * scales.heatRise);
      out.burst = Math.max(out.burst, burst);
      out.rise = Math.max(out.rise, rise);
      out.heat = Math.max(out.heat, shown >= HOT && rise >= 0.4 * scales.heatRise ? 1 : heat);
    } else if (metric === SMOKE) {
      out.smoke = Math.max(out.smoke, rise);
      if (rise >= SURE * noise) out.sureSmoke = Math.max(out.sureSmoke, rise);
    } else if (metric === CO) {
      // Gas mixes slowly and its analysers are noisy: only what has lasted counts.
      const lasting = Math.min(state[at + SHOWN]!, state[at + MINUTE]!);
      out.co = Math.max(out.co, lasting - state[at + USUAL]! - doubt);
    }
  }
  return out;
}

/**
 * One metric that goes further than cooking, showers, sun and heating do, or two independent ones that go part of the way together.
 * Beside a quick warming even a trace of smoke counts: neither pan nor shower does both.
 */
function early({ burst, rise, smoke, sureSmoke, co }: FireEvidence, scales: FireScales): number {
  const warm = Math.max((1.5 * burst) / scales.heatBurst, rise / (0.6 * scales.heatRise));
  const smoky = (3 * smoke) / scales.smoke;
  const gassed = (8 * co) / scales.co;
  const trace = (25 * sureSmoke) / scales.smoke;
  return Math.max(
    burst / scales.heatBurst,
    rise / scales.heatRise,
    smoke / scales.smoke,
    co / scales.co,
    Math.min(warm, Math.max(smoky, trace)),
    Math.min(warm, gassed),
    Math.min(smoky, gassed),
  );
}

/** Metrics that agree add up; alone, heat or smoke must be overwhelming, and CO is never enough. */
function fire({ heat, smoke, sureSmoke, co }: FireEvidence, scales: FireScales): number {
  const ofHeat = Math.min(1, heat);
  const ofSmoke = Math.min(1, Math.max(smoke / (4 * scales.smoke), sureSmoke >= 0.13 * scales.smoke ? 0.35 : 0));
  const ofCo = Math.min(1, co / (0.75 * scales.co));
  const agreeing = Number(ofHeat >= 0.3) + Number(ofSmoke >= 0.3) + Number(ofCo >= 0.3);
  return Math.max(ofHeat, smoke / (10 * scales.smoke), agreeing >= 2 ? ofHeat + ofSmoke + ofCo : 0);
}
