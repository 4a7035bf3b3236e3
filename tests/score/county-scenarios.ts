import type { Disturbance } from '@smart-fire/core';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { type County, createCounty, layOver, readScenario } from '@smart-fire/simulators';
import { CountyRun, warnsAhead } from './county-run.ts';

const DAY = 86_400_000;
/** Days of ordinary life before the scenario, so that what learns has learned. */
const LEARNING_DAYS = 28;
/** 1 March 2027, 00:00 in Shanghai. */
const BEGINNING = Date.UTC(2027, 1, 28, 16);
/** Times of day at which a scenario begins (h after midnight). */
const HOURS = [3, 9, 14, 19, 22] as const;

/** What a scenario comes to when nobody acts: the detector's own verdict, or the limit that must not be reached. */
const ACCIDENTS = [
  { scenario: 'hydrant-leak', what: 'hydrant below its legal 0.14 MPa', rule: 'preset:hydrant-pressure:pressure-low' },
  { scenario: 'smouldering', what: "smoke detector's own fire", event: 'fire' },
  { scenario: 'overloaded-cable', what: 'cable at 70 °C', rule: 'preset:cable-temperature:cable-hot' },
  { scenario: 'leakage-creep', what: 'leakage of 300 mA', rule: 'preset:residual-current:leakage' },
  { scenario: 'dying-battery', what: "detector's own low battery", event: 'low-battery' },
  { scenario: 'pump-failure', what: 'sprinklers below 0.10 MPa', rule: 'preset:sprinkler-pressure:pressure-low' },
] as const;
type Accident = (typeof ACCIDENTS)[number];

export interface ScenarioOutcome {
  scenario: string;
  what: string;
  /** ms from the first early warning to the accident, one a run; NaN = none came first. */
  leads: number[];
  /** Rules that were first, with how often. */
  first: Map<string, number>;
}

/** Every scenario, begun at several hours of the day, each on a county of its own that has lived quietly before. */
export function runScenarios(): ScenarioOutcome[] {
  return ACCIDENTS.map((accident) => {
    const outcome: ScenarioOutcome = { ...accident, leads: [], first: new Map() };
    for (const [at, hour] of HOURS.entries()) {
      const { lead, rule } = runScenario(accident, hour, at + 1);
      outcome.leads.push(lead);
      if (rule) outcome.first.set(rule, (outcome.first.get(rule) ?? 0) + 1);
    }
    return outcome;
  });
}

function runScenario(accident: Accident, hour: number, seed: number): { lead: number; rule: string | null } {
  const whole = createCounty(120);
  const script = layOver(readScenario(accident.scenario), whole.devices);
  if (script.concerned.size === 0) throw new Error(`${accident.scenario} concerns no device of the county`);
  const county = sitesOf(whole, script.concerned);
  const begins = BEGINNING + LEARNING_DAYS * DAY + hour * 3_600_000;
  const zones = new Set(county.devices.filter(({ id }) => script.concerned.has(id)).map(({ zone }) => zone));
  const rules = presetRules(SENSOR_KINDS);
  const ahead = new Set(rules.filter(warnsAhead).map(({ id }) => id));
  let happened = NaN;
  let warned = NaN;
  let rule: string | null = null;
  const run = new CountyRun({
    county,
    rules,
    from: BEGINNING,
    seed,
    disturbance(device, time): Disturbance | null {
      const situation = time < begins ? null : script.situation(device, (time - begins) / 1000);
      return situation?.disturbed ? situation.disturbance : null;
    },
    onEvent(device, event, time) {
      if ('event' in accident && event === accident.event && time >= begins && script.concerned.has(device))
        happened = Math.min(Number.isNaN(happened) ? Infinity : happened, time);
    },
    onEffect(effect) {
      if (effect.type !== 'raise' || effect.shadow || effect.time < begins) return;
      if ('rule' in accident && effect.rule === accident.rule && Number.isNaN(happened)) happened = effect.time;
      else if (effect.rule !== null && ahead.has(effect.rule) && Number.isNaN(warned) && zones.has(effect.zone)) {
        warned = effect.time;
        rule = effect.rule;
      }
    },
  });
  const end = begins + script.seconds * 1000;
  for (let time = BEGINNING; time < end && Number.isNaN(happened); time += 600_000) run.advance(time);
  // Warnings that came in the same stretch but after the accident are no warnings.
  const lead = warned <= happened ? happened - warned : NaN;
  return { lead, rule: Number.isNaN(lead) ? null : rule };
}

/** The sites of these devices, with all that is in them. */
export function sitesOf(county: County, devices: ReadonlySet<string>): County {
  const sites = new Set(county.devices.filter(({ id }) => devices.has(id)).map(({ site }) => site));
  return {
    areas: county.areas,
    sites: county.sites.filter(({ id }) => sites.has(id)),
    zones: county.zones.filter(({ site }) => sites.has(site)),
    devices: county.devices.filter(({ site }) => sites.has(site)),
  };
}
