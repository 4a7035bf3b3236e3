import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '@smart-fire/core/sensors';
import { afterEach, describe, expect, it } from 'vitest';
import { scoreSkab } from './skab.ts';

const folder = mkdtempSync(join(tmpdir(), 'smart-fire-skab-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A made-up recording of the benchmark's form: flow falls by 3 L/min from row 600 to 900. */
function record(path: string, labelled: boolean, seed: number): void {
  const random = seeded(seed);
  const rows = Array.from({ length: 1700 }, (_, row) => {
    const time = new Date(Date.UTC(2026, 0, 5) + row * 1000).toISOString().slice(0, 19).replace('T', ' ');
    const disturbed = labelled && row >= 600 && row < 900;
    const values = [230 + 10 * random(), 32 + random() - (disturbed ? 3 : 0)];
    return [time, ...values, ...(labelled ? [disturbed ? 1 : 0, 0] : [])].join(';');
  });
  const header = ['datetime', 'Voltage', 'Volume Flow RateRMS', ...(labelled ? ['anomaly', 'changepoint'] : [])];
  writeFileSync(path, [header.join(';'), ...rows].join('\n'));
}

describe('the score of the water loop', () => {
  it('pools the labelled recordings of all folders and counts alarms of the normal run apart', async () => {
    for (const part of ['valve1', 'other', 'anomaly-free']) mkdirSync(join(folder, 'skab', part), { recursive: true });
    record(join(folder, 'skab/valve1/0.csv'), true, 1);
    record(join(folder, 'skab/other/1.csv'), true, 2);
    record(join(folder, 'skab/anomaly-free/anomaly-free.csv'), false, 3);
    const said: string[] = [];
    const lines = await scoreSkab({ folder, quick: false, say: (line) => said.push(line) });
    expect(said.map((line) => line.split(':')[0])).toEqual(['other/1.csv', 'valve1/0.csv']);
    expect(lines.find(({ what }) => what === 'disturbances seen')?.value).toBe('2 of 2');
    expect(lines.find(({ what }) => what.startsWith('normal run'))?.value).toMatch(/^0 /);
    expect(lines.filter(({ reached }) => !reached)).toEqual([]);
  });
});
