import { closeSync, existsSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, join } from 'node:path';
import { backtest, type LabelFigures, median, poolFigures, ratios } from '@smart-fire/alerting';
import type { Score, ScoreLine } from './table.ts';

/** Rows of each recording to learn from, as the public leaderboard has it. */
const WARM_UP = '400';
const RULE = 'preset:multivariate-health';
const TIME = 'datetime';
const LABEL = 'anomaly';
/** Columns that say what people saw, not what the machine did. */
const LABELS = [LABEL, 'changepoint'];

/**
 * The Skoltech Anomaly Benchmark (`skab/`: folders of experiments on a water loop, and `anomaly-free/`), judged as its leaderboard does: learn on the first
 * rows of each file, judge the rest row by row, pool all rows. Besides: disturbances seen, false starts, delay; the normal run apart.
 */
export const scoreSkab: Score = async ({ folder, say }) => {
  const root = join(folder, 'skab');
  const parts: LabelFigures[] = [];
  for (const file of experiments(root)) {
    const { figures } = await judge(file);
    if (!figures) throw new Error(`${file}: no row has a label`);
    const { f1, falseAlarmRate, missedAlarmRate } = ratios(figures);
    say(
      `${file.slice(root.length + 1)}: F1 ${f1.toFixed(3)}, false ${percent(falseAlarmRate)}, missed ${percent(missedAlarmRate)}, false starts ${figures.falseStarts}, delay ${figures.delays.map((ms) => `${ms / 1000} s`).join(', ') || 'not seen'}`,
    );
    parts.push(figures);
  }
  return [...(parts.length > 0 ? pooled(parts) : []), ...(await normalRun(join(root, 'anomaly-free')))];
};

/** The lines of recordings with labels, pooled, against what is wanted of them. */
export function pooled(parts: readonly LabelFigures[]): ScoreLine[] {
  const figures = poolFigures(parts);
  const { f1, falseAlarmRate, missedAlarmRate } = ratios(figures);
  const delay = median(figures.delays) / 1000;
  const files = parts.length;
  return [
    { what: `F1 (${files} files pooled)`, value: f1.toFixed(3), goal: '≥ 0.86', reached: f1 >= 0.86 },
    {
      what: 'false alarm rate (rows)',
      value: percent(falseAlarmRate),
      goal: '≤ 12 %',
      reached: falseAlarmRate <= 0.12,
    },
    {
      what: 'missed alarm rate (rows)',
      value: percent(missedAlarmRate),
      goal: '≤ 15 %',
      reached: missedAlarmRate <= 0.15,
    },
    {
      what: 'disturbances seen',
      value: `${figures.seen} of ${figures.events}`,
      goal: 'all',
      reached: figures.seen === figures.events,
    },
    {
      what: 'false starts',
      value: `${figures.falseStarts} in ${files} files`,
      goal: '≤ 1 in 2',
      reached: figures.falseStarts <= files / 2,
    },
    { what: 'median delay', value: `${delay} s`, goal: '≤ 20 s', reached: delay <= 20 },
  ];
}

/** Nothing happened there: every alarm is one too many. */
async function normalRun(folder: string): Promise<ScoreLine[]> {
  if (!existsSync(folder)) return [];
  let alarms = 0;
  let ms = 0;
  for (const file of csvFiles(folder)) {
    const outcome = await judge(file);
    alarms += outcome.alarms;
    ms += outcome.to - outcome.from;
  }
  const perHour = alarms / (ms / 3_600_000);
  return [
    {
      what: 'normal run, alarms',
      value: `${alarms} (${perHour.toFixed(1)} an hour)`,
      goal: 'none',
      reached: alarms === 0,
    },
  ];
}

/** Learns on the first rows of a recording and judges the others. */
export async function judge(csv: string) {
  const columns = headerOf(csv).split(';');
  const metrics = columns.filter((column) => column !== TIME && !LABELS.includes(column));
  const label = columns.includes(LABEL) ? { label: LABEL } : {};
  const { outcome } = await backtest(
    { rule: RULE, csv, time: TIME, values: metrics.join(), warmup: WARM_UP, ...label },
    {
      timeZone: 'UTC',
      ownRule: async () => null,
      history: () => Promise.reject(new Error('a recording needs no history')),
    },
  );
  return outcome;
}

export function experiments(root: string): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'anomaly-free')
    .flatMap(({ name }) => csvFiles(join(root, name)))
    .filter((file) => headerOf(file).split(';').includes(LABEL));
}

export function csvFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => basename(file).endsWith('.csv'))
    .sort()
    .map((file) => join(folder, file));
}

function headerOf(csv: string): string {
  const file = openSync(csv, 'r');
  try {
    const bytes = Buffer.alloc(4096);
    const text = bytes.toString('utf8', 0, readSync(file, bytes));
    return text.split(/\r?\n/, 1)[0]!;
  } finally {
    closeSync(file);
  }
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
