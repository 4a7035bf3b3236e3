import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '@smart-fire/core/sensors';
import { gaussian } from '@smart-fire/core/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { scoreDisturbances } from './disturbances.ts';
import { disturb, FAULTS, type Stretch } from './faults.ts';

const folder = mkdtempSync(join(tmpdir(), 'smart-fire-disturbances-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const METRICS = ['Accelerometer1RMS', 'Volume Flow RateRMS'];

function quiet(rows: number, seed: number): Stretch {
  const random = seeded(seed);
  const values = Array.from({ length: rows }, () => [0.2 + 0.001 * gaussian(random), 120 + 0.5 * gaussian(random)]);
  return { metrics: METRICS, values };
}

describe('disturbances put into undisturbed recordings', () => {
  it('are the same for the same seed, begin in the rows that are judged and touch only what the fault does', () => {
    const stretch = quiet(1170, 1);
    for (const fault of Object.keys(FAULTS)) {
      const made = disturb(stretch, fault, 7);
      expect(disturb(stretch, fault, 7)).toEqual(made);
      expect(made.from).toBeGreaterThanOrEqual(500);
      expect(made.to).toBeLessThanOrEqual(1100);
      expect(made.values.slice(0, made.from)).toEqual(stretch.values.slice(0, made.from));
    }
    const leak = disturb(stretch, 'leak, sudden', 7).values;
    expect(leak.map(([vibration]) => vibration)).toEqual(stretch.values.map(([vibration]) => vibration));
    expect(leak.at(900)![1]).toBeLessThan(116);
  });

  it('are scored by kind, pooled, and beside the stretches as they are', async () => {
    mkdirSync(join(folder, 'skab/anomaly-free'), { recursive: true });
    const rows = quiet(1200, 2).values.map((row, at) =>
      [new Date(Date.UTC(2026, 0, 5) + at * 1000).toISOString().slice(0, 19).replace('T', ' '), ...row].join(';'),
    );
    writeFileSync(join(folder, 'skab/anomaly-free/run.csv'), [['datetime', ...METRICS].join(';'), ...rows].join('\n'));
    const lines = await scoreDisturbances({ folder, quick: true, say: () => undefined });
    const value = (what: string) => lines.find((line) => line.what === what)?.value;
    expect(value('undisturbed (1 stretches)')).toMatch(/^0.0 alarms/);
    expect(value('leak, sudden')).toMatch(/seen 1 of 1/);
    expect(value('disturbances seen')).toMatch(new RegExp(`of ${Object.keys(FAULTS).length}$`));
  });
});
