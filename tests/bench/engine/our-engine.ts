// The rule engine alone in a process of its own (`--expose-gc`), so that its memory is nobody else's.
import { Engine } from '@smart-fire/alerting';
import type { Rule } from '@smart-fire/core';
import { PRESETS, presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { ALERT_METRIC, CHILD_KIND, READING_METRIC } from '../fleet.ts';
import { answerCalls } from '../process-call.ts';
import { TEN_RULES } from '../ten-rules.ts';
import { EngineCounty } from './county.ts';

/** Readings of each series: none is as good as fresh any more. */
const LEARNED_ROUNDS = 50;

export interface EngineFigures {
  /** Heap and buffers that came with the engine, bytes for each detector. */
  bytesPerDevice: number;
  evaluationsPerSecond: number;
  evaluationsPerReading: number;
  /** What waits at most while a rule of all detectors is taken out and put back in (ms). */
  rulesChangedMs: number;
}

export type EngineFunctions = {
  /** The ten rules over so many detectors and their gateways; every series has been heard. */
  tenRules(order: { devices: number; readings: number }): EngineFigures;
  /** Bytes a series costs that this general preset has learned. */
  learned(order: { devices: number; preset: string }): number;
};

function used(): number {
  // What one collection frees of buffers is no longer counted after the next.
  global.gc!();
  global.gc!();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  // `external` counts the array buffers already.
  return heapUsed + Math.max(external, arrayBuffers);
}

const newEngine = ({ registry, series }: EngineCounty, rules: readonly Rule[]) =>
  new Engine({ registry, rules, series, emit: () => undefined, timeZone: 'Asia/Shanghai' });

/** In an order that no cache likes. */
function shuffled(items: Uint32Array): Uint32Array {
  const order = items.slice();
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function tenRules({ devices, readings }: { devices: number; readings: number }): EngineFigures {
  const county = new EngineCounty(devices);
  const rules = presetRules(SENSOR_KINDS).filter(({ id }) => TEN_RULES.includes(id));
  if (rules.length !== TEN_RULES.length) throw new Error(`only ${rules.length} of the ten rules exist`);
  const before = used();
  const engine = newEngine(county, rules);
  for (const batch of county.round(county.series.keys(), (series) => county.normal(series))) engine.consume(batch);
  const bytesPerDevice = (used() - before) / devices;
  const order = shuffled(county.readingSeries);
  const [evaluations, wanted] = [engine.evaluations, readings];
  let [spent, done] = [0, 0];
  while (done < wanted)
    for (const batch of county.round(order, (series) => county.normal(series))) {
      const began = performance.now();
      engine.consume(batch);
      spent += performance.now() - began;
      done += batch.readings.length;
    }
  const evaluated = engine.evaluations - evaluations;
  return {
    ...{ bytesPerDevice, evaluationsPerSecond: evaluated / (spent / 1000), evaluationsPerReading: evaluated / done },
    rulesChangedMs: longestChange(engine, rules),
  };
}

function longestChange(engine: Engine, rules: readonly Rule[]): number {
  const id = `preset:${CHILD_KIND}:co-50`;
  let longest = 0;
  for (const changed of [rules.filter((rule) => rule.id !== id), rules]) {
    let done = false;
    for (let first = true; !done; first = false) {
      const began = performance.now();
      if (first) engine.setRules(changed, [], 0);
      else done = engine.settle(0);
      longest = Math.max(longest, performance.now() - began);
    }
  }
  return longest;
}

function learned({ devices, preset }: { devices: number; preset: string }): number {
  const { definition, ...rule } = PRESETS.find((one) => one.definition.id === preset)!;
  const metrics = { metric: READING_METRIC, metrics: [READING_METRIC, ALERT_METRIC] };
  const bound = Object.fromEntries(Object.entries(metrics).filter(([name]) => name in definition));
  const stateBytes = (rules: Rule[]) => {
    const county = new EngineCounty(devices);
    const engine = newEngine(county, rules);
    for (let round = 0; round < LEARNED_ROUNDS; round++)
      for (const batch of county.round(county.series.keys(), (series) => county.normal(series) + (round % 7) / 10))
        engine.consume(batch);
    return engine.stateBytes;
  };
  const on = { ...rule, mode: 'on' as const, scope: {}, definition: { ...definition, ...bound } };
  return (stateBytes([on]) - stateBytes([])) / devices;
}

answerCalls({ tenRules, learned } satisfies EngineFunctions);
