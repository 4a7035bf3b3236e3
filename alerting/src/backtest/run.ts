import { FireError, type Level, type Registry, type Rule, Words } from '@smart-fire/core';
import { ruleKind } from '../rules/kinds/index.ts';
import { type BacktestEpisode, Episodes } from './episodes.ts';
import { createLabelFigures, type LabelFigures } from './label-figures.ts';
import { Replay } from './replay.ts';
import type { BacktestSource } from './source.ts';

/** Rows between two looks at the progress. */
const PROGRESS_ROWS = 1000;

/** The first rows, which teach and are not judged: so many, or so large a share of all (0 to 1). */
export type WarmUp = { rows: number } | { share: number };

export interface BacktestOptions {
  /** One rule, or what it comes to for each metric of a recording. */
  rules: readonly Rule[];
  source: BacktestSource;
  /** The devices of the source, with their places. */
  registry: Registry;
  warmUp: WarmUp;
  /** IANA; for schedules and for what people do by the hour. */
  timeZone: string;
  /** After each row that is judged; what it returns is awaited. */
  onRow?: (row: JudgedRow) => Promise<void> | undefined;
  onProgress?: (share: number) => void;
  /** Asked after each row; then FIRE_BACKTEST_STOPPED. */
  signal?: AbortSignal | undefined;
}

/** One object, used again. */
export interface JudgedRow {
  /** The time as it was written, and in ms UTC (the last readable one where it is not). */
  cell: string;
  /** NaN before the first readable one. */
  time: number;
  alarm: boolean;
  level: Level | null;
  score: number;
  values: Float64Array;
  replay: Replay;
}

export interface BacktestOutcome {
  rows: number;
  /** Rows behind the warm-up. */
  judged: number;
  warmUp: number;
  readings: number;
  /** First and last judged row (ms UTC). */
  from: number;
  to: number;
  /** The first 1,000 alarms, and how many there were. */
  episodes: BacktestEpisode[];
  alarms: number;
  /** ms with at least one alarm. */
  timeInAlarm: number;
  /** null where no row had a label. */
  figures: LabelFigures | null;
  /** What was odd, counted; sentences for people. */
  remarks: Words[];
}

/**
 * One rule over the past through the live engine, row by row and never looking ahead: what it says of a row depends on that row and those before.
 * A row whose time is not later than all before it is counted and not given to the rule. Throws FIRE_BACKTEST_EMPTY when no row was left to judge.
 */
export async function runBacktest(options: BacktestOptions): Promise<BacktestOutcome> {
  const { source, onRow, onProgress } = options;
  const warmUp = await rowsOf(options);
  const episodes = new Episodes();
  const rules = options.rules.map((rule) => learningFor(rule, warmUp));
  const replay = new Replay({ ...options, rules }, (effect, time) => episodes.take(effect, time));
  const labels = createLabelFigures();
  let labelled = false;
  let rows = 0;
  let outOfOrder = 0;
  let last = -Infinity;
  let from = NaN;
  const judged: JudgedRow = {
    ...{ cell: '', time: NaN, alarm: false, level: null, score: 0, values: new Float64Array(0), replay },
  };

  for await (const row of source.rows()) {
    if (options.signal?.aborted) throw new FireError('FIRE_BACKTEST_STOPPED');
    if (row.time > last) {
      last = row.time;
      replay.row(row.time, row.values);
    } else if (!Number.isNaN(row.time)) outOfOrder++;
    if (rows++ === warmUp) episodes.begin(last);
    if (onProgress && rows % PROGRESS_ROWS === 0) onProgress(source.progress());
    if (rows <= warmUp) continue;
    const timed = last > -Infinity;
    if (timed && Number.isNaN(from)) from = last;
    const { alarm } = episodes;
    if (timed && !Number.isNaN(row.label)) {
      labelled = true;
      labels.row(last, alarm, row.label);
    }
    if (!onRow) continue;
    const time = timed ? last : NaN;
    Object.assign(judged, { cell: row.cell, time, values: row.values, alarm, level: episodes.level });
    judged.score = replay.score();
    const done = onRow(judged);
    // A row that need not wait is not waited for.
    if (done !== undefined) await done;
  }
  onProgress?.(1);
  if (rows <= warmUp || Number.isNaN(from)) throw new FireError('FIRE_BACKTEST_EMPTY', { rows, warmUp });
  return {
    ...{ rows, judged: rows - warmUp, warmUp, readings: replay.readings, from, to: last },
    ...{ episodes: episodes.kept, alarms: episodes.count, timeInAlarm: episodes.timeInAlarm(last) },
    figures: labelled ? labels.figures : null,
    remarks: [
      ...source.remarks(),
      ...(outOfOrder > 0 ? [notLater(outOfOrder)] : []),
      ...[...new Set(rules.map(({ definition }) => definition.warmUp))].flatMap((learning) => unlike(learning, warmUp)),
      ...replay.errors(),
    ],
  };
}

async function rowsOf({ warmUp, source }: Pick<BacktestOptions, 'warmUp' | 'source'>): Promise<number> {
  if ('rows' in warmUp) return warmUp.rows;
  let rows = 0;
  for await (const _ of source.rows()) rows++;
  return Math.floor(rows * warmUp.share);
}

/** Learned kinds learn for as many rows as are not judged, within what the kind allows. */
function learningFor(rule: Rule, warmUp: number): Rule {
  if (!('warmUp' in rule.definition)) return rule;
  const asked = { ...rule, definition: { ...rule.definition, warmUp } };
  const { error } = ruleKind(rule.definition.type)!.params.safeParse(asked.definition);
  for (const issue of error?.issues ?? []) {
    if (issue.path[0] !== 'warmUp') continue;
    if (issue.code === 'too_small') asked.definition.warmUp = Number(issue.minimum);
    if (issue.code === 'too_big') asked.definition.warmUp = Number(issue.maximum);
  }
  return asked;
}

function unlike(learning: unknown, warmUp: number): Words[] {
  if (learning === undefined || learning === warmUp) return [];
  return [
    new Words(`规则学习 ${learning} 行,而不是 ${warmUp} 行`, `the rule learns for ${learning} rows, not ${warmUp}`),
  ];
}

function notLater(rows: number): Words {
  return new Words(
    `${rows} 行的时间不晚于前一行,未参与判定`,
    `${rows} rows whose time is not later than that of the row before`,
  );
}
