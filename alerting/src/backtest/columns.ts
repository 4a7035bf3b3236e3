import { FireError } from '@smart-fire/core';
import type { BacktestSeries } from './source.ts';

/** What the command line says about columns, as given. */
export interface ColumnOptions {
  /** `COLUMN` or `COLUMN:s`. */
  time: string;
  /** `COLUMN[=metric],…`; names with commas in double quotes. */
  values: string;
  label?: string | undefined;
}

/** Where in a record everything stands. */
export interface Columns {
  time: number;
  /** Length of the unit of a number in the time column (ms). */
  unitMs: number;
  values: number[];
  /** -1 = none. */
  label: number;
  series: BacktestSeries[];
}

/** Devices of a recording: `recording-1`, `recording-2`… */
const DETECTOR = 'recording';

/**
 * Finds the columns in the header. Several columns of one metric are different detectors of one zone: the first of each metric belong to
 * the first detector, the second ones to the second, and so on. Throws FIRE_BACKTEST_COLUMN.
 */
export function findColumns(options: ColumnOptions, header: readonly string[], file: string): Columns {
  const find = (column: string) => {
    const at = header.indexOf(column);
    if (at >= 0 && header.lastIndexOf(column) === at) return at;
    const columns = header.map((name) => JSON.stringify(name)).join(', ');
    throw new FireError('FIRE_BACKTEST_COLUMN', {
      column,
      file,
      problem: at < 0 ? 'missing' : 'there twice',
      columns,
    });
  };
  const inSeconds = options.time.endsWith(':s') && !header.includes(options.time);
  const unquoted = splitItem(inSeconds ? options.time.slice(0, -2) : options.time, header).column;
  const items = splitList(options.values).map((item) => splitItem(item, header));
  if (items.length === 0) find('');
  const seen = new Map<string, number>();
  return {
    time: find(unquoted),
    unitMs: inSeconds ? 1000 : 1,
    values: items.map(({ column }) => find(column)),
    label: options.label === undefined ? -1 : find(splitItem(options.label, header).column),
    series: items.map(({ metric }) => {
      const detector = (seen.get(metric) ?? 0) + 1;
      seen.set(metric, detector);
      return { device: `${DETECTOR}-${detector}`, point: '', metric };
    }),
  };
}

/** At the commas outside double quotes. */
function splitList(text: string): string[] {
  return (text.match(/(?:"(?:[^"]|"")*"|[^,])+/g) ?? []).map((item) => item.trim()).filter((item) => item !== '');
}

/** `COLUMN[=metric]`, either in double quotes if need be. An item that is a column's whole name is that column, whatever it contains. */
function splitItem(item: string, header: readonly string[]): { column: string; metric: string } {
  if (header.includes(item)) return { column: item, metric: item };
  const [, column = '', metric] = /^("(?:[^"]|"")*"|[^"].*?)(?:=([^=]*))?$/.exec(item) ?? [];
  const name = unquote(column);
  return { column: name, metric: metric === undefined || metric === '' ? name : unquote(metric) };
}

function unquote(text: string): string {
  const trimmed = text.trim();
  return /^".*"$/.test(trimmed) ? trimmed.slice(1, -1).replaceAll('""', '"') : trimmed;
}
