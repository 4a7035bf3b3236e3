import { readdirSync, readFileSync } from 'node:fs';
import type { Disturbance } from '@smart-fire/core';
import { FireError } from '@smart-fire/core';
import { getSensorKind, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { z } from 'zod';

/** A constant, a straight line over the step's duration, or t² growth (kW/s² for a fire) up to `max`. */
const profile = z.union([
  z.number(),
  z.strictObject({ from: z.number(), to: z.number() }),
  z.strictObject({ growth: z.number().positive(), max: z.number().positive() }),
]);
type Profile = z.infer<typeof profile>;

const kind = z.enum(SENSOR_KINDS.map((known) => known.kind));

/** Which devices: those of the first `take` zones, gateways or devices whose id matches (`*` is anything) and that have a device of kind `having`. */
const selector = z.strictObject({
  by: z.enum(['device', 'zone', 'gateway']),
  match: z.string().default('*'),
  having: kind.optional(),
  take: z.number().int().positive().optional(),
});

const step = z.strictObject({
  /** Seconds after the scenario began, and how long. */
  at: z.number().nonnegative(),
  for: z.number().positive(),
  select: selector,
  disturbance: z
    .strictObject({
      fireKw: profile,
      flaming: profile,
      pressureLoss: profile,
      overload: profile,
      leakageMa: profile,
      batteryLoss: profile,
      gasLeak: profile,
      arcing: profile,
      pumpStopped: z.boolean(),
    })
    .partial()
    .optional(),
  /** No power: connections break without a word, and nothing is sent until the end of the step. */
  offline: z.literal(true).optional(),
  /** Every device declares this, spread evenly over `within` seconds, and takes it back at the end of the step. */
  declare: z.strictObject({ event: z.string(), restored: z.string(), within: z.number().positive() }).optional(),
});

const scenario = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]+$/),
  zh: z.string().min(1),
  en: z.string().min(1),
  timeline: z.array(step).min(1),
  /** What every disturbed device of the kind comes to: the id of one of its presets, or an event of its own, at most this many seconds after the beginning. */
  promises: z.array(z.strictObject({ kind, comes: z.string(), within: z.number().positive() })).min(1),
});

export type Scenario = z.infer<typeof scenario>;
type Step = Scenario['timeline'][number];

/** What a selector looks at. */
export interface Selectable {
  id: string;
  kind: string;
  zone: string | null;
  gateway: string | null;
}

const FOLDER = new URL('../scenarios/', import.meta.url);

/** Names of the scenarios that come with the program. */
export function scenarioNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -5))
    .sort();
}

export function parseScenario(text: string, source: string): Scenario {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FireError('FIRE_CONFIG_INVALID', { problems: `${source}: ${(error as Error).message}` }, error);
  }
  const parsed = scenario.safeParse(json);
  if (!parsed.success)
    throw new FireError('FIRE_CONFIG_INVALID', { problems: `${source}: ${z.prettifyError(parsed.error)}` });
  for (const { kind: name, comes } of parsed.data.promises)
    if (!getSensorKind(name)!.rules.some((rule) => rule.id === comes))
      throw new FireError('FIRE_CONFIG_INVALID', { problems: `${source}: ${name} has no rule ${comes}` });
  return parsed.data;
}

/** A scenario by the name of one that comes with the program, or by file. */
export function readScenario(nameOrFile: string): Scenario {
  const known = scenarioNames().includes(nameOrFile);
  let text: string;
  try {
    text = readFileSync(known ? new URL(`${nameOrFile}.json`, FOLDER) : nameOrFile, 'utf8');
  } catch (error) {
    const problems = `scenario ${nameOrFile}: no such file, and none of ${scenarioNames().join(', ')}`;
    throw new FireError('FIRE_CONFIG_INVALID', { problems }, error);
  }
  return parseScenario(text, nameOrFile);
}

function matches(pattern: string, id: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(id);
}

/** Ids of the devices a selector means, in the fleet's order. */
function select(selection: Step['select'], devices: readonly Selectable[]): Set<string> {
  const groupOf = (device: Selectable): string | null => {
    if (selection.by === 'device') return device.id;
    if (selection.by === 'zone') return device.zone;
    return device.kind === 'gateway' ? device.id : device.gateway;
  };
  const groups = new Set<string>();
  for (const device of devices) {
    const group = groupOf(device);
    if (group === null || groups.has(group) || !matches(selection.match, group)) continue;
    if (selection.having !== undefined && device.kind !== selection.having) continue;
    if (groups.size >= (selection.take ?? Number.POSITIVE_INFINITY)) break;
    groups.add(group);
  }
  return new Set(devices.filter((device) => groups.has(groupOf(device) ?? '')).map((device) => device.id));
}

function valueAt(value: Profile, seconds: number, duration: number): number {
  if (typeof value === 'number') return value;
  if ('growth' in value) return Math.min(value.max, value.growth * seconds ** 2);
  return value.from + (value.to - value.from) * Math.min(1, seconds / duration);
}

/** What one device goes through at a moment of a scenario. */
interface Situation {
  disturbed: boolean;
  disturbance: Disturbance;
  offline: boolean;
}

/** A scenario laid over a fleet: selectors resolved once. */
export interface Script {
  situation(device: string, seconds: number): Situation;
  /** What devices declare by order of the scenario, ascending by time. */
  declarations: readonly { at: number; device: string; event: string }[];
  /** Moments at which a step begins or ends, ascending, with the devices concerned. */
  turns: readonly { at: number; devices: ReadonlySet<string>; sentence: string }[];
  /** Every device that any step concerns. */
  concerned: ReadonlySet<string>;
  /** Seconds until the last step ends. */
  seconds: number;
}

const QUIET: Situation = { disturbed: false, disturbance: {}, offline: false };

export function layOver(scenario: Scenario, devices: readonly Selectable[]): Script {
  const steps = scenario.timeline.map((entry) => ({ ...entry, devices: select(entry.select, devices) }));
  const byDevice = new Map<string, typeof steps>();
  for (const entry of steps)
    for (const device of entry.devices) {
      const list = byDevice.get(device) ?? [];
      list.push(entry);
      byDevice.set(device, list);
    }
  return {
    concerned: new Set(byDevice.keys()),
    seconds: Math.max(...steps.map((entry) => entry.at + entry.for)),
    turns: steps
      .flatMap((entry) => [
        { at: entry.at, devices: entry.devices, sentence: `${scenario.name}: begins on ${entry.devices.size} devices` },
        {
          at: entry.at + entry.for,
          devices: entry.devices,
          sentence: `${scenario.name}: ends on ${entry.devices.size} devices`,
        },
      ])
      .sort((left, right) => left.at - right.at),
    declarations: steps
      .flatMap((entry) => {
        const { declare } = entry;
        if (!declare) return [];
        const gap = declare.within / Math.max(1, entry.devices.size);
        return [...entry.devices].flatMap((device, index) => [
          { at: entry.at + index * gap, device, event: declare.event },
          { at: entry.at + entry.for + index * gap, device, event: declare.restored },
        ]);
      })
      .sort((left, right) => left.at - right.at),
    situation(device, seconds) {
      const entries = byDevice.get(device);
      if (!entries) return QUIET;
      const situation: Situation = { disturbed: false, disturbance: {}, offline: false };
      for (const entry of entries) {
        const since = seconds - entry.at;
        if (since < 0 || since >= entry.for) continue;
        situation.disturbed = true;
        situation.offline ||= entry.offline === true;
        for (const [name, value] of Object.entries(entry.disturbance ?? {}) as [keyof Disturbance, Profile | boolean][])
          Object.assign(situation.disturbance, {
            [name]: typeof value === 'boolean' ? value : valueAt(value, since, entry.for),
          });
      }
      return situation;
    },
  };
}
