import { PRESETS } from '@smart-fire/core/sensors';
import { measureGeneralEngine } from '../engine/general-engine.ts';
import type { EngineFunctions } from '../engine/our-engine.ts';
import { type CalledProcess, startProcess } from '../process-call.ts';
import { type Figure, type FigureGroup, figure } from './figure.ts';

const SIZES = [10_000, 100_000, 1_000_000];
const READINGS = 2_000_000;
const GENERAL_READINGS = 20_000;
const LEARNED_DEVICES = 2000;

async function inProcess<Result>(work: (engine: CalledProcess<EngineFunctions>) => Promise<Result>): Promise<Result> {
  const file = new URL('../engine/our-engine.ts', import.meta.url);
  const engine = startProcess<EngineFunctions>(file, ['--expose-gc', '--max-old-space-size=8192']);
  try {
    return await work(engine);
  } finally {
    engine.stop();
  }
}

/** The rule engine alone: bytes of state and evaluations a second as devices grow, beside the same rules in a general engine. */
export const engine: FigureGroup = {
  keys: ['engine_bytes_per_device_1m'],
  quick: [],
  async measure({ say }) {
    const figures: Figure[] = [];
    const rates: number[] = [];
    for (const devices of SIZES) {
      const found = await inProcess((one) => one.call('tenRules', { devices, readings: READINGS }));
      const name = devices === 1_000_000 ? '1m' : `${devices / 1000}k`;
      rates.push(found.evaluationsPerSecond);
      figures.push(
        figure(`engine_bytes_per_device_${name}`, [found.bytesPerDevice]),
        figure(`engine_evaluations_per_second_${name}`, [found.evaluationsPerSecond]),
        figure(`engine_rules_changed_block_ms_${name}`, [found.rulesChangedMs]),
      );
      say(
        `engine: ${devices} devices, ten rules: ${found.bytesPerDevice.toFixed(0)} bytes each, ${(found.evaluationsPerSecond / 1e6).toFixed(1)} million evaluations/s (${found.evaluationsPerReading.toFixed(1)} a reading); a rule taken out and put back holds the loop for at most ${found.rulesChangedMs.toFixed(1)} ms`,
      );
    }
    const general = await measureGeneralEngine(SIZES[0]!, GENERAL_READINGS);
    const ratio = rates[0]! / general.evaluationsPerSecond;
    say(
      `engine: json-rules-engine, ${SIZES[0]} devices, the same rules: ${(general.evaluationsPerSecond / 1e3).toFixed(0)} thousand evaluations/s; ours ÷ it = ${ratio.toFixed(0)}`,
    );
    for (const { definition } of PRESETS) {
      if (!('warmUp' in definition)) continue;
      const preset = definition.id;
      const bytes = await inProcess((one) => one.call('learned', { devices: LEARNED_DEVICES, preset }));
      say(`engine: what ${preset} has learned: ${bytes.toFixed(0)} bytes a learned series`);
      figures.push(figure(`engine_bytes_per_learned_series_${preset.replaceAll('-', '_')}`, [bytes]));
    }
    return [
      ...figures,
      // Linear growth is 1: the cost of an evaluation does not depend on how many devices there are.
      figure('engine_cost_1m_vs_10k', [rates[0]! / rates.at(-1)!]),
      figure('engine_vs_json_rules_engine', [ratio]),
      figure('json_rules_engine_evaluations_per_second', [general.evaluationsPerSecond]),
    ];
  },
};
