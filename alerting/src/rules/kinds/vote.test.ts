import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { driveKind, type Given } from '../../testing/drive-kind.ts';
import { type VoteRule, vote } from './vote.ts';

const common = {
  id: 'v',
  type: 'vote' as const,
  class: 'early-warning' as const,
  zh: '表决',
  en: 'Vote',
  source: { zh: '试', en: 'Test' },
};
const warm = { metric: 'temperature', direction: 'above' as const, limit: 50, hysteresis: 5 };
const smoky = { metric: 'smoke_density', direction: 'above' as const, limit: 0.2, hysteresis: 0 };
const devices: VoteRule = { ...common, of: 'devices', k: 2, windowMs: 60_000, conditions: [warm] };
const metrics: VoteRule = { ...common, of: 'metrics', k: 2, windowMs: 60_000, conditions: [warm, smoky] };

const reading = (time: number, source: number, value: number, input = 0): Given => ({ time, source, value, input });

describe('the vote of a zone', () => {
  it('raises when k detectors agree and clears when fewer do, after the window', () => {
    const drive = driveKind(vote, devices);
    drive.give(reading(1000, 1, 60), reading(2000, 1, 61));
    expect(drive.raised()).toBe(false);
    drive.give(reading(3000, 2, 55));
    drive.wait(4000);
    expect(drive.turns).toEqual([{ time: 3001, outcome: 'raise', level: null }]);
    drive.give(reading(5000, 2, 20));
    drive.wait(64_999);
    expect(drive.raised()).toBe(true);
    drive.wait(66_000);
    expect(drive.turns.at(-1)).toEqual({ time: 65_000, outcome: 'clear', level: null });
  });

  it('counts a detector that has come back for as long as the window, and not after it', () => {
    const inTime = driveKind(vote, devices);
    inTime.give(reading(1000, 1, 60), reading(2000, 1, 20), reading(61_000, 2, 60));
    inTime.wait(61_500);
    expect(inTime.raised()).toBe(true);
    const tooLate = driveKind(vote, devices);
    tooLate.give(reading(1000, 1, 60), reading(2000, 1, 20), reading(62_000, 2, 60));
    tooLate.wait(70_000);
    expect(tooLate.raised()).toBe(false);
  });

  it('holds a condition through its hysteresis', () => {
    const drive = driveKind(vote, devices);
    drive.give(reading(1000, 1, 60), reading(2000, 2, 60), reading(3000, 1, 46));
    drive.wait(200_000);
    expect(drive.raised()).toBe(true);
  });

  it('counts metrics, not detectors, for a confirmation across metrics', () => {
    const drive = driveKind(vote, metrics);
    drive.give(reading(1000, 1, 60), reading(2000, 2, 60), reading(3000, 3, 60));
    drive.wait(4000);
    expect(drive.raised()).toBe(false);
    drive.give(reading(5000, 4, 0.3, 1));
    drive.wait(6000);
    expect(drive.raised()).toBe(true);
    expect(drive.sentence().en).toBe(
      '2 metrics of the zone agree within 60 s (2 needed): Temperature above 50 °C, Smoke density above 0.2 dB/m',
    );
  });

  it('has room for more detectors than can matter', () => {
    const drive = driveKind(vote, { ...devices, k: 8 });
    for (let source = 1; source <= 300; source++) drive.give(reading(source * 10, source, 90));
    drive.wait(10_000);
    expect(drive.turns).toHaveLength(1);
  });

  it('refuses more metrics than there are', () => {
    expect(vote.params.safeParse({ ...metrics, k: 3 }).success).toBe(false);
    expect(vote.params.safeParse({ ...devices, k: 9 }).success).toBe(false);
    expect(vote.params.safeParse(metrics).success).toBe(true);
  });

  it('does not care for the order within a millisecond, nor for restarts', () => {
    const rows = fc.array(
      fc.record({
        wait: fc.constantFrom(1, 500, 40_000, 70_000),
        row: fc.uniqueArray(
          fc.record({
            source: fc.integer({ min: 1, max: 4 }),
            input: fc.integer({ min: 0, max: 1 }),
            high: fc.boolean(),
          }),
          {
            maxLength: 6,
            selector: ({ source, input }) => source * 2 + input,
          },
        ),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(rows, fc.constantFrom(devices, metrics), fc.integer({ min: 0, max: 20 }), (given, rule, at) => {
        const forth = driveKind(vote, rule);
        const back = driveKind(vote, rule);
        let time = 0;
        for (const [index, { wait, row }] of given.entries()) {
          time += wait;
          const readings = row
            .filter(({ input }) => input === 0 || rule === metrics)
            .map(({ source, input, high }) => reading(time, source, high ? 99 : 0, input));
          forth.give(...readings);
          back.give(...readings.reverse());
          if (index === at) back.restart();
        }
        forth.wait(time + 1e6);
        back.wait(time + 1e6);
        expect(back.turns).toEqual(forth.turns);
      }),
      { numRuns: 200 },
    );
  });
});
