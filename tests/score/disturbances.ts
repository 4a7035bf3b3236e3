import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LabelFigures, median, poolFigures, ratios } from '@smart-fire/alerting';
import { disturb, FAULTS, type Stretch } from './faults.ts';
import { csvFiles, experiments, judge, percent, pooled } from './skab.ts';
import type { Score, ScoreLine } from './table.ts';

/** Rows of a stretch of the normal run, and between the begins of two: a whole hour apart in what they warm through, and half overlapping. */
const ROWS = 1170;
const APART = { full: 780, quick: 2340 };
/** Undisturbed rows at the begin of every labelled experiment. */
const BEFORE = 560;

/** A stretch as it was recorded. */
interface Recorded extends Stretch {
  times: readonly string[];
}

/**
 * Disturbances that the recordings of the water loop (`skab/`) do not have, put into real undisturbed stretches of them (see faults) and judged as
 * they are: by kind and pooled. The stretches as they are come first: every alarm there is one too many.
 */
export const scoreDisturbances: Score = async ({ folder, quick }) => {
  const scratch = mkdtempSync(join(tmpdir(), 'smart-fire-disturbances-'));
  const csv = join(scratch, 'recording.csv');
  try {
    const root = join(folder, 'skab');
    const normal = join(root, 'anomaly-free');
    const runs = existsSync(normal) ? csvFiles(normal).flatMap((file) => cut(file, quick)) : [];
    const stretches = [...runs, ...experiments(root).map(thereAndBack)];
    const lines = await undisturbed(csv, runs);
    const all: LabelFigures[] = [];
    for (const fault of Object.keys(FAULTS)) {
      const parts: LabelFigures[] = [];
      for (const [at, stretch] of stretches.entries()) {
        write(csv, { ...stretch, ...disturb(stretch, fault, 1 + at + 1000 * Object.keys(FAULTS).indexOf(fault)) });
        parts.push((await judge(csv)).figures!);
      }
      lines.push(described(fault, parts));
      all.push(...parts);
    }
    return [...lines, ...(all.length > 0 ? pooled(all) : [])];
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

async function undisturbed(csv: string, stretches: readonly Recorded[]): Promise<ScoreLine[]> {
  let alarms = 0;
  let inAlarm = 0;
  let ms = 0;
  for (const stretch of stretches) {
    write(csv, { ...stretch, from: ROWS, to: ROWS });
    const outcome = await judge(csv);
    alarms += outcome.alarms;
    inAlarm += outcome.timeInAlarm;
    ms += outcome.to - outcome.from;
  }
  if (ms === 0) return [];
  const perHour = (alarms / (ms / 3_600_000)).toFixed(1);
  return [
    {
      what: `undisturbed (${stretches.length} stretches)`,
      value: `${perHour} alarms an hour, in alarm ${percent(inAlarm / ms)} of the time`,
      goal: 'none',
      reached: alarms === 0,
    },
  ];
}

function described(what: string, parts: readonly LabelFigures[]): ScoreLine {
  const figures = poolFigures(parts);
  const { f1, falseAlarmRate, missedAlarmRate } = ratios(figures);
  const delay = (median(figures.delays) / 1000).toFixed(0);
  return {
    what,
    value: `F1 ${f1.toFixed(2)}, false ${percent(falseAlarmRate)}, missed ${percent(missedAlarmRate)}, seen ${figures.seen} of ${figures.events}, ${delay} s`,
    goal: '',
    reached: null,
  };
}

/** Overlapping stretches of one long recording. */
function cut(file: string, quick: boolean): Recorded[] {
  const { metrics, times, values } = read(file);
  const stretches: Recorded[] = [];
  for (let from = 0; from + ROWS <= values.length; from += quick ? APART.quick : APART.full)
    stretches.push({ metrics, times: times.slice(from, from + ROWS), values: values.slice(from, from + ROWS) });
  return stretches;
}

/** What came before the disturbance, and the same once more backwards: real noise and wander for as long as a stretch must be. */
function thereAndBack(file: string): Recorded {
  const { metrics, times, values } = read(file);
  const before = values.slice(0, BEFORE);
  return { metrics, times: times.slice(0, 2 * before.length), values: [...before, ...before.toReversed()] };
}

function read(file: string): Recorded {
  const [header, ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  const columns = header!.split(';');
  const metrics = columns.filter((column) => !['datetime', 'anomaly', 'changepoint'].includes(column));
  const at = metrics.map((metric) => columns.indexOf(metric));
  const rows = lines.map((line) => line.split(';'));
  return {
    metrics,
    times: rows.map((row) => row[columns.indexOf('datetime')]!),
    values: rows.map((row) => at.map((column) => Number(row[column]))),
  };
}

function write(csv: string, { metrics, times, values, from, to }: Recorded & { from: number; to: number }): void {
  // A made-up second half may be a few rows longer than the recording's own times.
  const rows = values.slice(0, times.length);
  const lines = rows.map((row, at) => [times[at], ...row, at >= from && at < to ? 1 : 0].join(';'));
  writeFileSync(csv, [['datetime', ...metrics, 'anomaly'].join(';'), ...lines].join('\n'));
}
