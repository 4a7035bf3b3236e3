import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

/**
 * The scoring of the Numenta Anomaly Benchmark (Lavin & Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015; arXiv 1510.03336),
 * standard profile: a hit early in a labelled window is worth up to 1, a missed window costs 1, each alarmed row outside a window
 * up to 0.11; the first rows of a recording are on probation and not scored.
 */
const STANDARD = { truePositive: 1, falsePositive: 0.11, falseNegative: 1 } as const;

/** First and last time (ms, both inside) of what people called an anomaly. */
export type Window = readonly [from: number, to: number];

export interface Recording {
  times: readonly number[];
  /** One per row; a row is alarmed at or above the threshold. */
  scores: readonly number[];
  windows: readonly Window[];
}

export interface NabScore {
  /** 0 = a detector that never speaks, 100 = one that is right at the first row of each window and never wrong. */
  score: number;
  seen: number;
  windows: number;
  /** Alarmed rows outside the windows. */
  falseRows: number;
}

/** Of a place relative to a window: −1 = its beginning, 0 = its end, 1 = its own length after it. */
function sigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

/** Rows on probation: 15 %, at most 750. */
function probation(rows: number): number {
  return Math.floor(Math.min(0.15 * rows, 750));
}

interface Tally {
  points: number;
  seen: number;
  windows: number;
  falseRows: number;
}

function tally({ times, scores, windows }: Recording, threshold: number): Tally {
  const begin = probation(times.length);
  const bounds = windows
    .map(([from, to]) => ({
      first: times.findIndex((time) => time >= from),
      last: times.findLastIndex((time) => time <= to),
    }))
    .filter(({ first, last }) => first >= 0 && last >= Math.max(first, begin))
    .sort((a, b) => a.first - b.first);
  const best = bounds.map(() => Number.NEGATIVE_INFINITY);
  let points = 0;
  let falseRows = 0;
  let next = 0;
  for (let row = 0; row < times.length; row++) {
    while (next < bounds.length && bounds[next]!.last < row) next++;
    if (row < begin || !(scores[row]! >= threshold)) continue;
    const inside = bounds[next];
    if (inside && row >= inside.first) {
      const width = inside.last - inside.first + 1;
      best[next] = Math.max(best[next]!, sigmoid(-(inside.last - row + 1) / width) / sigmoid(-1));
      continue;
    }
    const before = bounds[next - 1];
    falseRows++;
    const position = before ? (row - before.last) / Math.max(1, before.last - before.first) : Number.POSITIVE_INFINITY;
    points += STANDARD.falsePositive * sigmoid(position);
  }
  const seen = best.filter((value) => value > Number.NEGATIVE_INFINITY);
  points += seen.reduce((sum, value) => sum + STANDARD.truePositive * value, 0);
  points -= STANDARD.falseNegative * (best.length - seen.length);
  return { points, seen: seen.length, windows: best.length, falseRows };
}

/** Scores recordings together at one threshold (1 = the limit of our own score). */
export function nabScore(recordings: readonly Recording[], threshold = 1): NabScore {
  let points = 0;
  const total = { seen: 0, windows: 0, falseRows: 0 };
  for (const recording of recordings) {
    const one = tally(recording, threshold);
    points += one.points;
    total.seen += one.seen;
    total.windows += one.windows;
    total.falseRows += one.falseRows;
  }
  const silent = -STANDARD.falseNegative * total.windows;
  const perfect = STANDARD.truePositive * total.windows;
  return { score: total.windows === 0 ? NaN : (100 * (points - silent)) / (perfect - silent), ...total };
}

/** The best of all thresholds over the recordings together, as the public leaderboard chooses it. */
export function nabBest(recordings: readonly Recording[], steps = 200): NabScore & { threshold: number } {
  const all = recordings.flatMap(({ scores }) => scores.filter((score) => score > 0)).sort((a, b) => b - a);
  let best = { ...nabScore(recordings, Number.POSITIVE_INFINITY), threshold: Number.POSITIVE_INFINITY };
  for (let step = 0; step < steps; step++) {
    // Denser among the high scores, where a threshold lies.
    const threshold = all[Math.floor(all.length * (step / steps) ** 4)];
    if (threshold === undefined || threshold === best.threshold) continue;
    const one = nabScore(recordings, threshold);
    if (one.score > best.score) best = { ...one, threshold };
  }
  return best;
}

const labels = z.record(z.string(), z.array(z.tuple([z.string(), z.string()])));

/** A recording of the benchmark as it is published: one CSV `timestamp,value`. */
export interface NabFile {
  /** Path below the folder, as in the label file. */
  name: string;
  path: string;
  times: number[];
  values: number[];
  windows: Window[];
}

/** The benchmark writes times without a zone. */
function instant(text: string): number {
  return Date.parse(`${text.trim().slice(0, 19).replace(' ', 'T')}Z`);
}

/** Every labelled recording of a folder that holds CSV files (at any depth) and `combined_windows.json`; none when it has no labels. */
export function readNabFolder(folder: string): NabFile[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const labelled = files.find((file) => file.endsWith('combined_windows.json'));
  if (labelled === undefined) return [];
  const windows = labels.parse(JSON.parse(readFileSync(join(folder, labelled), 'utf8')));
  return Object.entries(windows).flatMap(([name, found]) => {
    const file = files.find((one) => one.replaceAll('\\', '/').endsWith(name));
    if (file === undefined) return [];
    const path = join(folder, file);
    const rows = parse(readFileSync(path), { columns: true, skip_empty_lines: true }) as {
      timestamp: string;
      value: string;
    }[];
    return {
      ...{
        name,
        path,
        times: rows.map(({ timestamp }) => instant(timestamp)),
        values: rows.map(({ value }) => Number(value)),
      },
      windows: found.map(([from, to]): Window => [instant(from), instant(to)]),
    };
  });
}
