import { parentPort, workerData } from 'node:worker_threads';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { createCounty } from '@smart-fire/simulators';
import { CountyRun, warnsAhead } from './county-run.ts';
import { sitesOf } from './county-scenarios.ts';

const DAY = 86_400_000;

export interface QuietWork {
  devices: number;
  days: number;
  /** ms UTC. */
  from: number;
  /** This share of the sites: those whose number leaves `share` when divided by `of`. */
  share: number;
  of: number;
}

export interface QuietReport {
  day: number;
  readings: number;
  deviceDays: number;
  /** Early warnings by rule, by month (30 days). */
  early: Record<string, number[]>;
  /** Alarms of rules that say what is. */
  other: Record<string, number>;
  /** Of each rule the first ones, with the sentence. */
  examples: Record<string, string[]>;
  errors: string[];
}

/** One share of the quiet county; reports after each day, the last report is the result. */
function live({ devices, days, from, share, of }: QuietWork, report: (so: QuietReport) => void): void {
  const whole = createCounty(devices);
  const mine = new Set(whole.sites.filter((_, at) => at % of === share).map(({ id }) => id));
  const county = sitesOf(whole, new Set(whole.devices.filter(({ site }) => mine.has(site)).map(({ id }) => id)));
  const so: QuietReport = { day: 0, readings: 0, deviceDays: 0, early: {}, other: {}, examples: {}, errors: [] };
  const rules = presetRules(SENSOR_KINDS);
  const ahead = new Set(rules.filter(warnsAhead).map(({ id }) => id));
  const open = new Set<string>();
  const run = new CountyRun({
    ...{ county, rules, from, seed: 1 + share },
    onEffect(effect) {
      if (effect.type === 'clear') {
        open.delete(effect.cause);
        return;
      }
      // A repeat of an alarm that is there is no other alarm.
      if (effect.shadow || effect.rule === null || open.has(effect.cause)) return;
      open.add(effect.cause);
      if (!ahead.has(effect.rule)) {
        so.other[effect.rule] = (so.other[effect.rule] ?? 0) + 1;
        return;
      }
      so.early[effect.rule] ??= Array.from({ length: Math.ceil(days / 30) }, () => 0);
      so.early[effect.rule]![Math.floor((effect.time - from) / DAY / 30)]! += 1;
      so.examples[effect.rule] ??= [];
      const examples = so.examples[effect.rule]!;
      if (examples.length < 3)
        examples.push(`${effect.device} ${new Date(effect.time).toISOString()} ${effect.explanation.en}`);
    },
  });
  for (let day = 1; day <= days; day++) {
    run.advance(from + day * DAY);
    so.day = day;
    so.readings = run.readings;
    so.deviceDays = county.devices.length * day;
    so.errors = run.engine
      .rules()
      .flatMap(({ id, errors, lastError }) => (errors > 0 ? [`${id}: ${errors} errors, ${lastError}`] : []));
    report(so);
  }
}

live(workerData as QuietWork, (so) => parentPort!.postMessage(so));
