import type { Words } from '@smart-fire/core';

/** One series of a backtest: a column of a recording, or a series of stored history. */
export interface BacktestSeries {
  /** Device id. */
  device: string;
  point: string;
  metric: string;
}

/** What was measured at one time, in one object that is used again. */
export interface BacktestRow {
  /** The time as it was written. */
  cell: string;
  /** ms UTC; NaN = could not be read. */
  time: number;
  /** By series; NaN = a gap. */
  values: Float64Array;
  /** 1 = something was wrong, 0 = nothing, NaN = nobody says. */
  label: number;
}

/** Readings of the past, row by row, as often as they are asked for. Nothing is held but the row at hand. */
export interface BacktestSource {
  series: readonly BacktestSeries[];
  rows(): AsyncIterable<BacktestRow>;
  /** How much of the current pass is done, 0 to 1. */
  progress(): number;
  /** What was odd about the rows so far, counted; sentences for people. */
  remarks(): Words[];
}
