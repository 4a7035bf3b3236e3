import { createReadStream, type ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { FireError } from '@smart-fire/core';
import { type CsvError, parse } from 'csv-parse';
import { type ColumnOptions, findColumns } from './columns.ts';
import type { BacktestRow, BacktestSource } from './source.ts';
import { TIME_FORMS, timeReader } from './time-cell.ts';

/** How people write that there is no value. */
const GAP = /^(|-|\?|na|n\/a|nan|null|none|nil)$/i;
/** Longest header that is looked at, and longest row that is taken for one: a quote nobody closed must not swallow the file. */
const HEADER_MAX = 256 * 1024;
const ROW_MAX = 1024 * 1024;

/**
 * A recording as rows: `;` or `,` is found by itself, the first line is the header. Throws FIRE_BACKTEST_FILE for a file that cannot be
 * read or is no CSV, FIRE_BACKTEST_COLUMN for a column that is not there, FIRE_BACKTEST_TIME when no time could be read at all.
 */
export async function openCsv(file: string, options: ColumnOptions, timeZone: string): Promise<BacktestSource> {
  const unreadable = (reason: string, cause?: unknown) =>
    new FireError('FIRE_BACKTEST_FILE', { file, problem: reason }, cause);
  let size: number;
  let start: string;
  try {
    const handle = await open(file);
    try {
      size = (await handle.stat()).size;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_MAX), 0, HEADER_MAX, 0);
      start = buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable((error as Error).message, error);
  }
  const delimiter = delimiterOf(start);
  const records = (input: ReadStream) =>
    input.pipe(
      // biome-ignore format: one option a line is easier to change
      parse({ delimiter, bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, max_record_size: ROW_MAX }),
    );

  async function* read(input: ReadStream): AsyncIterable<string[]> {
    const parser = records(input);
    // A stream does not hand its errors on to the one it is piped into.
    input.on('error', (error) => parser.destroy(error));
    try {
      yield* parser as AsyncIterable<string[]>;
    } catch (error) {
      throw unreadable((error as CsvError).message, error);
    } finally {
      input.destroy();
    }
  }

  let header: string[] = [];
  for await (const record of read(createReadStream(file, { end: HEADER_MAX }))) {
    header = record.map((name) => name.trim());
    break;
  }
  if (header.length === 0) throw unreadable('it is empty');
  const columns = findColumns(options, header, file);
  const timeOf = timeReader(columns.unitMs, timeZone);
  let input: ReadStream | null = null;
  let counts = { rows: 0, timeless: 0, ragged: 0, words: 0 };
  let unread = '';

  return {
    series: columns.series,
    async *rows() {
      counts = { rows: 0, timeless: 0, ragged: 0, words: 0 };
      const row: BacktestRow = { cell: '', time: NaN, values: new Float64Array(columns.values.length), label: NaN };
      input = createReadStream(file);
      let first = true;
      for await (const record of read(input)) {
        if (first) {
          first = false;
          continue;
        }
        counts.rows++;
        if (record.length !== header.length) counts.ragged++;
        row.cell = record[columns.time] ?? '';
        row.time = timeOf(row.cell);
        if (Number.isNaN(row.time) && counts.timeless++ === 0) unread = row.cell;
        for (const [at, column] of columns.values.entries()) row.values[at] = numberOf(record[column] ?? '');
        const label = columns.label < 0 ? NaN : numberOf(record[columns.label] ?? '');
        row.label = Number.isNaN(label) ? NaN : label === 0 ? 0 : 1;
        yield row;
      }
      if (counts.rows > 0 && counts.timeless === counts.rows)
        throw new FireError('FIRE_BACKTEST_TIME', { cell: unread, column: options.time, forms: TIME_FORMS });
    },
    progress: () => (input === null || size === 0 ? 0 : Math.min(1, input.bytesRead / size)),
    remarks() {
      const { timeless, ragged, words } = counts;
      return [
        timeless > 0 && `${timeless} rows without a readable time (the first: ${JSON.stringify(unread)})`,
        ragged > 0 && `${ragged} rows with more or fewer cells than the header`,
        words > 0 && `${words} cells that are no number, taken as gaps`,
      ].filter((remark) => remark !== false);
    },
  };

  function numberOf(cell: string): number {
    const text = cell.trim();
    if (GAP.test(text)) return NaN;
    const number = Number(text);
    if (Number.isFinite(number)) return number;
    counts.words++;
    return NaN;
  }
}

/** The one of `;` and `,` that the first line has more of, outside quotes. */
function delimiterOf(start: string): string {
  const line = /^\s*("[^"]*"|[^"\r\n])*/.exec(start)?.[0] ?? '';
  const bare = line.replace(/"[^"]*"/g, '');
  return bare.split(';').length > bare.split(',').length ? ';' : ',';
}
