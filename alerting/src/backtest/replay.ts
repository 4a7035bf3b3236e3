import { type JournalBatch, type Registry, type Rule, type SeriesRow, Words } from '@smart-fire/core';
import type { Effect } from '../rules/effect.ts';
import { Engine } from '../rules/engine.ts';
import type { LearnedSeries } from '../rules/inspection.ts';
import type { BacktestSeries } from './source.ts';

export interface ReplayOptions {
  rules: readonly Rule[];
  registry: Registry;
  source: { series: readonly BacktestSeries[] };
  timeZone: string;
}

/**
 * The live engine over rows of the past. The rows' own time is the time we listened, without a limit to gaps; what falls due between two rows
 * is served when it is due, and what waits for the rest of a row right after that row.
 */
export class Replay {
  /** Readings given to the engine. */
  readings = 0;
  #now = NaN;
  readonly #engine: Engine;
  readonly #rules: readonly Rule[];
  readonly #devices: string[];
  readonly #row: JournalBatch;
  readonly #tick = { no: 0, type: 'tick' as const, receivedAt: 0 };
  readonly #still: JournalBatch;

  /** `emit` is told when by the rows' clock: an effect of what waited for the rest of a row has that row's time. */
  constructor({ rules, registry, source, timeZone }: ReplayOptions, emit: (effect: Effect, time: number) => void) {
    const series = source.series.map(
      ({ device, point, metric }, index) => ({ index, device, point, metric }) as SeriesRow,
    );
    this.#rules = rules.map(alwaysOn);
    this.#devices = [...new Set(series.map(({ device }) => device))];
    this.#engine = new Engine({
      ...{ registry, rules: this.#rules, series, timeZone, gapLimitMs: Infinity, keepQuiet: true },
      emit: (effect) => emit(effect, this.#now),
    });
    const length = series.length;
    this.#row = {
      ...{ firstNo: 0, count: 0, entries: [this.#tick], newSeries: [] },
      readings: {
        ...{ length: 0, no: new Float64Array(length), series: new Uint32Array(length), time: new Float64Array(length) },
        ...{ receivedAt: new Float64Array(length), value: new Float64Array(length), flags: new Uint8Array(length) },
      },
    };
    this.#still = { ...this.#row, count: 1, readings: { ...this.#row.readings, length: 0 } };
  }

  /** One row: `time` ms UTC, later than the last; `values` by series, NaN = none. */
  row(time: number, values: Float64Array): void {
    const engine = this.#engine;
    for (;;) {
      const due = engine.clock.last + (engine.nextWake - engine.clock.now);
      if (!(due < time)) break;
      this.#pass(due);
    }
    this.#now = time;
    const { readings } = this.#row;
    readings.length = 0;
    this.#row.firstNo = engine.next;
    for (let series = 0; series < values.length; series++) {
      const value = values[series]!;
      if (Number.isNaN(value)) continue;
      const at = readings.length++;
      readings.no[at] = engine.next + at;
      readings.series[at] = series;
      readings.time[at] = readings.receivedAt[at] = time;
      readings.value[at] = value;
    }
    this.readings += readings.length;
    this.#row.count = readings.length + 1;
    this.#tick.no = engine.next + readings.length;
    this.#tick.receivedAt = time + 1;
    engine.consume(this.#row);
  }

  /** The highest of all it judges; 0 = normal, 1 = at the limit. */
  score(): number {
    let highest = 0;
    for (const rule of this.#rules)
      for (const device of this.#devices) {
        const score = this.#engine.score(rule.id, device);
        if (score !== null && score > highest) highest = score;
      }
    return highest;
  }

  /** What the rules hold for normal of a device now; nothing while they are still learning. */
  learned(device: string): LearnedSeries[] {
    return this.#rules.flatMap(({ id }) => this.#engine.learned(id, device) ?? []);
  }

  /** Sentences on rules that threw. */
  errors(): Words[] {
    return this.#engine.rules().flatMap(({ errors, lastError }) => {
      if (errors === 0) return [];
      const en = `the rule failed ${errors} times, last: ${lastError}`;
      return [new Words(`规则出错 ${errors} 次,最近一次:${lastError}`, en)];
    });
  }

  #pass(time: number): void {
    this.#now = time;
    this.#still.firstNo = this.#tick.no = this.#engine.next;
    this.#tick.receivedAt = time;
    this.#engine.consume(this.#still);
  }
}

/** The rule on whatever it is tried on, also where somebody has switched it off. */
function alwaysOn(rule: Rule): Rule {
  const overrides = rule.overrides.map((one) => {
    const { mode: _, ...changes } = one.changes;
    return { ...one, changes };
  });
  return { ...rule, scope: {}, mode: 'on', overrides };
}
