import type { RetentionBorders } from '../../../ports/readings.ts';
import { hoursOf, mergeHours } from './hours.ts';
import type { ReadingsFile } from './readings-file.ts';

/** Work of one step, between two of which writes and queries have their turn: series looked at, and rows taken out. */
export const RETENTION_STEP = { series: 200, rows: 32 } as const;

/**
 * One step of retention from the series behind `after` on, in one transaction: a chunk goes with its hours coming, so a crash neither
 * counts anything twice nor loses it. `isBusy` tells chunks to be left for now. `next` is where to go on, null = done.
 */
export function retentionStep(
  file: ReadingsFile,
  { readings, trends }: RetentionBorders,
  after: number,
  isBusy: (series: number, chunk: number) => boolean,
): { next: number | null; dropped: { series: number; chunk: number }[] } {
  const dropped: { series: number; chunk: number }[] = [];
  const next = file.inTransaction(() => {
    let left: number = RETENTION_STEP.rows;
    let at = after;
    for (const series of file.seriesBehind(after, RETENTION_STEP.series)) {
      const chunks = file.expired(series, readings, left).filter((chunk) => !isBusy(series, chunk));
      if (chunks.length > 0) {
        file.trends.add(series, mergeHours(chunks.map((chunk) => hoursOf(file.load(chunk)))));
        for (const chunk of chunks) {
          file.drop(chunk);
          dropped.push({ series, chunk });
        }
      }
      left -= chunks.length;
      if (left > 0) left -= file.trends.drop(series, trends, left);
      // There may be more of this series.
      if (left === 0) return at;
      at = series;
    }
    return at === after ? null : at;
  });
  return { next, dropped };
}
