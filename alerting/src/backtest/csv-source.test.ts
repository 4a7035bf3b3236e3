import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ColumnOptions } from './columns.ts';
import { openCsv } from './csv-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'smart-fire-csv-'));
afterAll(() => rmSync(folder, { recursive: true }));

function recording(text: string | Uint8Array): string {
  const file = join(folder, 'recording.csv');
  writeFileSync(file, text);
  return file;
}

async function rowsOf(text: string | Uint8Array, options: ColumnOptions) {
  const source = await openCsv(recording(text), options, 'Asia/Shanghai');
  const rows: [cell: string, time: number, values: number[], label: number][] = [];
  for await (const { cell, time, values, label } of source.rows()) rows.push([cell, time, [...values], label]);
  return { rows, remarks: source.remarks(), source };
}

describe('a recording', () => {
  it('is read with ; or , as it comes, whatever the columns are called', async () => {
    const semicolons = await rowsOf('t;Volume Flow RateRMS;anomaly\n1;2.5;0.0\n2;-3e1;1.0\n', {
      ...{ time: 't:s', values: 'Volume Flow RateRMS', label: 'anomaly' },
    });
    expect(semicolons.rows).toEqual([
      ['1', 1000, [2.5], 0],
      ['2', 2000, [-30], 1],
    ]);
    const commas = await rowsOf('\uFEFF"t","a, b;c;d"\r\n"5",1\r\n6,2\r\n', { time: 't', values: '"a, b;c;d"' });
    expect(commas.rows).toEqual([
      ['5', 5, [1], NaN],
      ['6', 6, [2], NaN],
    ]);
    expect(commas.remarks).toEqual([]);
  });

  it('has gaps where cells are empty, missing or say that there is nothing, and says what else was odd', async () => {
    const { rows, remarks } = await rowsOf('t,a,b\n1,,NaN\n2,1\n\nlater,2,3\n4,"1,5",?\n5,1,2,3\n6,inf,N/A\n', {
      ...{ time: 't', values: 'a,b' },
    });
    expect(rows.map(([cell, time, values]) => [cell, time, values])).toEqual([
      ['1', 1, [NaN, NaN]],
      ['2', 2, [1, NaN]],
      ['later', NaN, [2, 3]],
      ['4', 4, [NaN, NaN]],
      ['5', 5, [1, 2]],
      ['6', 6, [NaN, NaN]],
    ]);
    expect(remarks.map(String)).toEqual([
      '1 rows without a readable time (the first: "later")',
      '2 rows with more or fewer cells than the header',
      '2 cells that are no number, taken as gaps',
    ]);
  });

  it('may have decimal commas where ; parts the cells', async () => {
    const { rows, remarks } = await rowsOf('t;a\n0,5;-1,25\n1;,5\n2;1,2,3\n', { time: 't:s', values: 'a' });
    expect(rows.map(([, time, values]) => [time, ...values])).toEqual([
      [500, -1.25],
      [1000, 0.5],
      [2000, NaN],
    ]);
    expect(remarks.map(String)).toEqual(['1 cells that are no number, taken as gaps']);
  });

  it.each([
    ['GBK', Buffer.from([0xca, 0xb1, 0x2c, 0xce, 0xc2, 0x0a, 0x31, 0x2c, 0x35, 0x0a])],
    ['UTF-16', Buffer.from('\uFEFF时,温\n1,5\n', 'utf16le')],
    ['UTF-8', Buffer.from('时,温\n1,5\n')],
  ])('is read in %s, as spreadsheets write it', async (_, bytes) => {
    const { rows } = await rowsOf(bytes, { time: '时', values: '温' });
    expect(rows).toEqual([['1', 1, [5], NaN]]);
  });

  it('can be read again from its beginning', async () => {
    const { source, rows } = await rowsOf('t,a\n1,1\n2,2\n', { time: 't', values: 'a' });
    let again = 0;
    for await (const _ of source.rows()) again++;
    expect(again).toBe(rows.length);
    expect(source.progress()).toBe(1);
  });

  it('that is left early closes its file', async () => {
    const { source } = await rowsOf(`t,a\n${'1,1\n'.repeat(100_000)}`, { time: 't', values: 'a' });
    for await (const { time } of source.rows()) if (time === 1) break;
    expect(source.progress()).toBeLessThan(1);
  });

  it('is refused with what is wrong when it is missing, empty, no CSV or without times', async () => {
    const options = { time: 't', values: 'a' };
    const refused = (code: string, text: string) =>
      expect.objectContaining({ code, message: expect.stringContaining(text) });
    await expect(openCsv(join(folder, 'none.csv'), options, 'UTC')).rejects.toEqual(
      refused('FIRE_BACKTEST_FILE', 'none.csv'),
    );
    await expect(openCsv(folder, options, 'UTC')).rejects.toEqual(refused('FIRE_BACKTEST_FILE', folder));
    await expect(rowsOf('', options)).rejects.toEqual(refused('FIRE_BACKTEST_FILE', 'empty'));
    await expect(rowsOf('t,b\n1,2\n', options)).rejects.toEqual(refused('FIRE_BACKTEST_COLUMN', '"b"'));
    await expect(rowsOf('t,a\nmonday,2\ntuesday,3\n', options)).rejects.toEqual(
      refused('FIRE_BACKTEST_TIME', 'monday'),
    );
    await expect(rowsOf(`t,a\n1,"${'x'.repeat(2 ** 21)}`, options)).rejects.toEqual(
      refused('FIRE_BACKTEST_FILE', 'recording.csv'),
    );
  });
});
