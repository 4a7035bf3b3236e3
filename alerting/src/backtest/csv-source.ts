import { createReadStream, type ReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { FireError, Words } from '@smart-fire/core';
import { type CsvError, parse } from 'csv-parse';
import { type ColumnOptions, findColumns } from './columns.ts';
import type { BacktestRow, BacktestSource } from './source.ts';
import { TIME_FORMS, timeReader } from './time-cell.ts';

/** How people write that there is no value. */
const GAP = /^(|-|\?|na|n\/a|nan|null|none|nil)$/i;
const DECIMAL_COMMA = /^\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*$/i;
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
  let encoding: Encoding;
  try {
    const handle = await open(file);
    try {
      size = (await handle.stat()).size;
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_MAX), 0, HEADER_MAX, 0);
      encoding = encodingOf(buffer.subarray(0, bytesRead));
      start = new TextDecoder(encoding).decode(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw unreadable((error as Error).message, error);
  }
  const delimiter = delimiterOf(start);
  const records = (input: Readable) =>
    input.pipe(
      // biome-ignore format: one option a line is easier to change
      parse({ delimiter, bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, max_record_size: ROW_MAX }),
    );

  async function* read(input: ReadStream): AsyncIterable<string[]> {
    const text = encoding === 'utf-8' ? input : Readable.from(decoded(input, encoding));
    const parser = records(text);
    // A stream does not hand its errors on to the one it is piped into.
    text.on('error', (error: Error) => parser.destroy(error));
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
        row.time = timeOf(pointed(row.cell));
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
      const first = JSON.stringify(unread);
      const say = (count: number, zh: string, en: string) =>
        count > 0 ? [new Words(`${count} ${zh}`, `${count} ${en}`)] : [];
      return [
        ...say(timeless, `行没有可识别的时间(首个:${first})`, `rows without a readable time (the first: ${first})`),
        ...say(ragged, '行的单元格数与表头不同', 'rows with more or fewer cells than the header'),
        ...say(words, '个单元格不是数字,按缺测处理', 'cells that are no number, taken as gaps'),
      ];
    },
  };

  /** Where `;` parts the cells, a comma in a number is its decimal point. */
  function pointed(cell: string): string {
    return delimiter === ';' && DECIMAL_COMMA.test(cell) ? cell.replace(',', '.') : cell;
  }

  function numberOf(cell: string): number {
    const text = pointed(cell.trim());
    if (GAP.test(text)) return NaN;
    const number = Number(text);
    if (Number.isFinite(number)) return number;
    counts.words++;
    return NaN;
  }
}

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'gb18030';

/** By its mark; what is no UTF-8 is what spreadsheets write on a Chinese Windows. */
function encodingOf(start: Uint8Array): Encoding {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  try {
    // As a stream: the last character may be cut in two.
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return 'utf-8';
  } catch {
    return 'gb18030';
  }
}

async function* decoded(input: ReadStream, encoding: Encoding): AsyncIterable<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of input) yield decoder.decode(chunk as Buffer, { stream: true });
}

/** The one of `;` and `,` that the first line has more of, outside quotes. */
function delimiterOf(start: string): string {
  const line = /^\s*("[^"]*"|[^"\r\n])*/.exec(start)?.[0] ?? '';
  const bare = line.replace(/"[^"]*"/g, '');
  return bare.split(';').length > bare.split(',').length ? ';' : ',';
}
