import { describe, expect, it } from 'vitest';
import { createLabelFigures, median, poolFigures, ratios } from './label-figures.ts';

/** One character a row, ten seconds apart. */
function judge(labels: string, alarms: string) {
  const { figures, row } = createLabelFigures();
  for (const [at, label] of [...labels].entries())
    row(at * 10_000, alarms[at] === '1', label === '?' ? NaN : Number(label));
  return figures;
}

describe('label figures', () => {
  it('are those of a table made by hand', () => {
    //                    0123456789012345
    const figures = judge('0000111100001110', '0100011110011111');
    expect(figures).toEqual({
      truePositives: 6,
      falsePositives: 4,
      falseNegatives: 1,
      trueNegatives: 5,
      events: 2,
      seen: 2,
      falseStarts: 2,
      delays: [10_000, 0],
      leads: [10_000],
    });
    const { precision, recall, f1, falseAlarmRate, missedAlarmRate } = ratios(figures);
    expect(precision).toBeCloseTo(0.6);
    expect(recall).toBeCloseTo(6 / 7);
    expect(f1).toBeCloseTo(12 / 17);
    expect(falseAlarmRate).toBeCloseTo(4 / 9);
    expect(missedAlarmRate).toBeCloseTo(1 / 7);
  });

  it('leave rows without a label out, and an event is not ended by them', () => {
    expect(judge('0?11??110', '0100001?0')).toMatchObject({ events: 1, seen: 1, delays: [40_000], falseStarts: 0 });
    expect(judge('0?0', '010')).toMatchObject({ falsePositives: 0, trueNegatives: 2 });
  });

  it('say of an event nobody saw that it was missed', () => {
    expect(judge('0110', '0000')).toMatchObject({ events: 1, seen: 0, delays: [], falseNegatives: 2 });
  });

  it('pool as if the recordings were one', () => {
    const pooled = poolFigures([judge('0011', '0001'), judge('0011', '1111')]);
    expect(pooled).toMatchObject({
      truePositives: 3,
      falsePositives: 2,
      events: 2,
      falseStarts: 1,
      delays: [10_000, 0],
    });
    expect(median(pooled.delays)).toBe(5000);
    expect(median([])).toBeNaN();
  });
});
