import { describe, expect, it } from 'vitest';
import { matchByCount, matchBySeq } from './match-alerts.ts';

const sent = (device: string, seq: number, at: number, warmUp = false) => ({ device, seq, at, warmUp });

describe('an alert and its arrival', () => {
  it('are matched by how often the alarm was raised, also when one frame stands for several', () => {
    const alerts = [sent('a', 1, 10), sent('b', 2, 20), sent('a', 3, 30), sent('a', 4, 40)];
    const arrivals = [
      { device: 'a', n: 6, at: 15 },
      { device: 'b', n: 1, at: 25 },
      { device: 'a', n: 8, at: 47 },
    ];
    expect(matchByCount(alerts, arrivals, new Map([['a', 5]])).sort((x, y) => x - y)).toEqual([5, 5, 7, 17]);
  });

  it('count alerts of the warm-up without measuring them, and what never came as endless', () => {
    const alerts = [sent('a', 1, 10, true), sent('a', 2, 20), sent('a', 3, 30)];
    expect(matchByCount(alerts, [{ device: 'a', n: 2, at: 22 }], new Map())).toEqual([2, Infinity]);
    expect(matchBySeq(alerts, [{ device: 'a', n: 3, at: 31 }])).toEqual([Infinity, 1]);
  });
});
