import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nabBest, nabScore, readNabFolder } from './nab.ts';

const times = Array.from({ length: 1000 }, (_, row) => row);
const marked = (...rows: number[]) => times.map((row) => (rows.includes(row) ? 1 : 0));

describe('the NAB score', () => {
  it('is 0 for silence, 100 for a hit at the beginning of each window, and halves of it for a window missed', () => {
    const windows = [
      [400, 499],
      [700, 799],
    ] as const;
    expect(nabScore([{ times, windows, scores: marked() }])).toMatchObject({
      score: 0,
      seen: 0,
      windows: 2,
      falseRows: 0,
    });
    expect(nabScore([{ times, windows, scores: marked(400, 700) }]).score).toBeGreaterThan(99);
    expect(nabScore([{ times, windows, scores: marked(400, 700, 701, 720) }]).score).toBeCloseTo(
      nabScore([{ times, windows, scores: marked(400, 700) }]).score,
    );
    expect(nabScore([{ times, windows, scores: marked(400) }]).score).toBeCloseTo(50, 0);
  });

  it('is worth less the later in the window, and a little just after it', () => {
    const at = (...rows: number[]) => nabScore([{ times, windows: [[400, 499]], scores: marked(...rows) }]).score;
    expect(at(400)).toBeGreaterThan(at(450));
    expect(at(450)).toBeCloseTo(50 + 50 * (0.84828 / 0.98661), 0);
    expect(at(450)).toBeGreaterThan(at(495));
    expect(at(495)).toBeGreaterThan(50);
    expect(at(505)).toBeGreaterThan(at(600));
    expect(at(900)).toBeCloseTo(-5.5, 5);
    expect(at(300, 301)).toBeCloseTo(-11, 5);
  });

  it('takes no account of rows on probation', () => {
    expect(nabScore([{ times, windows: [[400, 499]], scores: marked(0, 100, 149, 400) }]).falseRows).toBe(0);
    expect(nabScore([{ times, windows: [[400, 499]], scores: marked(150, 400) }]).falseRows).toBe(1);
  });

  it('finds the best threshold over all recordings', () => {
    const scores = times.map((row) => (row === 405 ? 0.8 : row % 50 === 3 ? 0.5 : 0));
    expect(nabBest([{ times, windows: [[400, 499]], scores }])).toMatchObject({
      threshold: 0.8,
      falseRows: 0,
      seen: 1,
    });
  });

  it('reads a folder laid out as the benchmark is', () => {
    const folder = mkdtempSync(join(tmpdir(), 'smart-fire-nab-'));
    try {
      mkdirSync(join(folder, 'data', 'kind'), { recursive: true });
      writeFileSync(
        join(folder, 'data', 'kind', 'one.csv'),
        'timestamp,value\n2014-01-01 00:00:00,1.5\n2014-01-01 00:05:00,2\n',
      );
      expect(readNabFolder(folder)).toEqual([]);
      const windows = {
        'kind/one.csv': [['2014-01-01 00:05:00.000000', '2014-01-01 00:05:00.000000']],
        'kind/other.csv': [],
      };
      writeFileSync(join(folder, 'combined_windows.json'), JSON.stringify(windows));
      const at = Date.UTC(2014, 0, 1);
      expect(readNabFolder(folder)).toMatchObject([
        { name: 'kind/one.csv', times: [at, at + 300_000], values: [1.5, 2], windows: [[at + 300_000, at + 300_000]] },
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
