import type { SimulationInput } from '../sensor.ts';
import { createEpisodes } from './episodes.ts';
import { between, createLag, createNoise } from './noise.ts';
import { activity, bump, cooking, outdoors } from './rhythm.ts';

/** What the air under the ceiling is like at a sensor. */
export interface Air {
  /** °C */
  temperature: number;
  /** dB/m */
  smoke: number;
  /** ppm */
  co: number;
}

/** Hot-gas volume that takes the smoke (m³), and how fast it leaks away (s). A room of 30 m² and its air change. */
const LAYER = 60;
const AIR_CHANGE = 900;
/** A fire that is out is aired by those who put it out (s). */
const AIRING = 150;
/** Smoke and CO no longer thicken when the fire has used up the air of the room (dB/m, ppm). */
const THICKEST = { smoke: 20, co: 6000 };
/** Ceiling height and distance from the plume's axis (m). */
const CEILING = 3;
const RADIUS = 2.5;
/**
 * What a gram of fuel gives (SFPE Handbook, ranges for wood, cotton and polyurethane foam): heat (kJ), mass optical density (m²/g, log10) and CO (g).
 * Smouldering gives much smoke and CO for little heat.
 */
const FLAMING = { heat: 18, smoke: 0.15, co: 0.02 };
const SMOULDERING = { heat: 8, smoke: 0.25, co: 0.15 };

/** Rise of the ceiling jet over a steady fire (K), after Alpert's correlation for r/H > 0.18. */
function ceilingJet(kw: number): number {
  return (5.38 / CEILING) * (kw / RADIUS) ** (2 / 3);
}

/**
 * A room with people in it: heated, aired and lit by the sun, cooked and showered in, a car started in some, sometimes burning.
 * Smoke and CO are a mixed volume fed by the fire (or the frying pan) and emptied by the air change; heat is the ceiling jet.
 */
export function createRoom(random: () => number): (input: SimulationInput) => Air {
  const kitchen = random() < 0.25;
  const bathroom = !kitchen && random() < 0.15;
  const sunny = random() < 0.3;
  const comfort = between(random, 19, 24);
  const weather = createNoise(random, 2.5, 2 * 86_400);
  const draught = createNoise(random, 0.3, 600);
  const haze = createNoise(random, 0.004, 1800);
  const street = createNoise(random, 0.6, 3 * 3600);
  const pan = createEpisodes(random, {
    perDay: kitchen ? 10 : 1,
    weight: cooking,
    amplitude: [0.2, 1],
    minutes: [5, 25],
    tau: 240,
  });
  const shower = createEpisodes(random, {
    perDay: bathroom ? 6 : 0,
    weight: activity,
    amplitude: [0.02, 0.1],
    minutes: [4, 12],
    tau: 180,
  });
  const heating = createEpisodes(random, {
    perDay: 8,
    weight: () => 1,
    amplitude: [0.5, 2.5],
    minutes: [10, 60],
    tau: 600,
  });
  // A window opened: so much of the way to the air outside.
  const window = createEpisodes(random, {
    perDay: 1.5,
    weight: activity,
    amplitude: [0.1, 0.4],
    minutes: [5, 20],
    tau: 400,
  });
  const garage = !kitchen && !bathroom && random() < 0.1;
  const exhaust = createEpisodes(random, {
    perDay: garage ? 4 : 0,
    weight: activity,
    amplitude: [5, 35],
    minutes: [1, 5],
    tau: 150,
  });
  const dust = between(random, 0.004, 0.02);
  const smoke = createLag(AIR_CHANGE, 0);
  const co = createLag(AIR_CHANGE, 0);
  return ({ time, hour, dt, disturbance }) => {
    const kw = Math.max(0, disturbance.fireKw ?? 0);
    const flaming = Math.min(1, Math.max(0, disturbance.flaming ?? 1));
    const flame = (kw * flaming) / FLAMING.heat;
    const smoulder = (kw * (1 - flaming)) / SMOULDERING.heat;
    // Sources in units per second; the lag's target is what they settle at against the air change.
    const smokeRate = (10 * (FLAMING.smoke * flame + SMOULDERING.smoke * smoulder)) / LAYER;
    // 1 ppm of CO weighs 1.15 mg/m³ at room temperature.
    const coRate = (1000 * (FLAMING.co * flame + SMOULDERING.co * smoulder)) / 1.15 / LAYER;
    const airChange = kw === 0 && smoke.value > 0.1 ? AIRING : AIR_CHANGE;
    const smokeTau = 1 / (1 / airChange + smokeRate / THICKEST.smoke);
    const coTau = 1 / (1 / airChange + coRate / THICKEST.co);
    smoke.step(smokeRate * smokeTau, dt, smokeTau);
    co.step(coRate * coTau, dt, coTau);
    const frying = pan(hour, dt);
    const outside = outdoors(time, hour) + weather(dt);
    const inside = comfort + 0.3 * (outside - comfort) + heating(hour, dt) * (outside < 12 ? 1 : 0.2);
    const sun = sunny ? 4 * bump(hour, 13.5, 1.8) : 0;
    // Steam looks like smoke to an optical chamber; it comes with up to 4 K.
    const steam = shower(hour, dt);
    const still = inside + sun + (kitchen ? 6 : 1) * frying + 40 * steam;
    return {
      temperature: still + window(hour, dt) * (outside - still) + draught(dt) + ceilingJet(kw),
      smoke: Math.max(0, dust + haze(dt) + (kitchen ? 0.12 : 0.02) * frying + steam + smoke.value),
      co: Math.max(0, 1 + street(dt) + (kitchen ? 9 : 1.5) * frying + exhaust(hour, dt) + co.value),
    };
  };
}
