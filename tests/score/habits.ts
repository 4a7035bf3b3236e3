import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { backtest } from '@smart-fire/alerting';
import { RECORDINGS, simulateRecording } from '@smart-fire/core/testing';
import { parse } from 'csv-parse/sync';
import { nabBest, nabScore, type Recording, readNabFolder } from './nab.ts';
import type { Score, ScoreLine } from './table.ts';

const SEEDS = { full: [1, 2, 3, 4, 5, 6, 7, 8], quick: [1] };
const UTC = 'UTC';

/** One series of departures from habit (`preset:baseline`), scored as the Numenta Anomaly Benchmark does: simulated recordings, and `nab/` where it is there. */
export const scoreHabits: Score = async ({ folder, quick, say }) => {
  const scratch = mkdtempSync(join(tmpdir(), 'smart-fire-habits-'));
  try {
    const lines: ScoreLine[] = [];
    const simulated: Recording[] = [];
    for (const { name, habits, troubles } of RECORDINGS) {
      const same: Recording[] = [];
      for (const seed of quick ? SEEDS.quick : SEEDS.full) {
        const { times, values, windows } = simulateRecording(seed, habits, troubles);
        const csv = join(scratch, 'recording.csv');
        writeFileSync(csv, `timestamp,value\n${times.map((time, row) => `${time},${values[row]}`).join('\n')}\n`);
        same.push({ times, windows, ...(await judge(csv, times.length, scratch)) });
      }
      const { score, seen, windows, falseRows } = nabScore(same);
      say(
        `habits, ${name}: ${Number.isNaN(score) ? '' : `${score.toFixed(0)}, `}seen ${seen} of ${windows}, false rows ${falseRows}`,
      );
      simulated.push(...same);
    }
    lines.push(...described('simulated recordings', simulated));
    const real = folder === '' ? '' : join(folder, 'nab');
    if (real === '' || !existsSync(real))
      return [...lines, { what: 'NAB recordings', value: 'not there (folder nab)', goal: '> 75', reached: null }];
    const recordings: Recording[] = [];
    for (const { name, path, times, windows } of readNabFolder(real)) {
      const recording = { times, windows, ...(await judge(path, times.length, scratch)) };
      const { score, seen, falseRows } = nabScore([recording]);
      say(`nab, ${name}: ${score.toFixed(1)}, seen ${seen} of ${windows.length}, false rows ${falseRows}`);
      recordings.push(recording);
    }
    return [...lines, ...described('NAB recordings', recordings)];
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

function described(what: string, recordings: readonly Recording[]): ScoreLine[] {
  const { score, seen, windows, falseRows } = nabScore(recordings);
  const best = nabBest(recordings);
  return [
    {
      what: `${what}: NAB score of the alarms, standard profile`,
      value: `${score.toFixed(1)} (${seen} of ${windows} seen, ${falseRows} false rows)`,
      goal: '> 75',
      reached: score > 75,
    },
    {
      what: `${what}: at the best threshold of the score`,
      value: `${best.score.toFixed(1)} (at ${best.threshold.toFixed(2)})`,
      goal: '',
      reached: null,
    },
  ];
}

/** The preset over one file, as the command does it; rows of the warm-up count as silent. */
async function judge(csv: string, rows: number, scratch: string): Promise<{ scores: number[] }> {
  const out = join(scratch, 'rows.csv');
  const history = () => Promise.reject(new Error('a recording needs no stored history'));
  await backtest(
    { rule: 'preset:baseline', csv, time: 'timestamp', values: 'value', warmup: '15%', out },
    { timeZone: UTC, ownRule: async () => null, history },
  );
  const judged = parse(readFileSync(out), { columns: true }) as { alarm: string; score: string }[];
  const scores = new Array<number>(rows - judged.length).fill(0);
  for (const { score } of judged) scores.push(Number(score));
  return { scores };
}
