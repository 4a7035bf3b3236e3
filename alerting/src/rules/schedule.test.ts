import { describe, expect, it } from 'vitest';
import { Schedules } from './schedule.ts';

const WORK = { windows: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }] };
const NIGHT = { windows: [{ days: [5], from: '22:00', to: '06:00' }] };
const open = (timeZone: string, schedule: typeof WORK, at: string) =>
  new Schedules(timeZone).isOpen(schedule, Date.parse(at));

describe('a schedule', () => {
  it('is open in its windows by the clock of its own time zone, its end excluded', () => {
    // 2026-11-23 is a Monday.
    for (const [at, expected] of [
      ['2026-11-23T07:59:59+08:00', false],
      ['2026-11-23T08:00:00+08:00', true],
      ['2026-11-23T17:59:59+08:00', true],
      ['2026-11-23T18:00:00+08:00', false],
      ['2026-11-22T12:00:00+08:00', false],
    ] as const)
      expect(open('Asia/Shanghai', WORK, at), at).toBe(expected);
    expect(open('America/New_York', WORK, '2026-11-23T08:00:00+08:00')).toBe(false);
    expect(open('America/New_York', WORK, '2026-11-23T08:00:00-05:00')).toBe(true);
  });

  it('goes past midnight into the next day, from Sunday into Monday too', () => {
    // 2026-11-27 is a Friday.
    for (const [at, expected] of [
      ['2026-11-27T21:59:00+08:00', false],
      ['2026-11-27T22:00:00+08:00', true],
      ['2026-11-28T05:59:00+08:00', true],
      ['2026-11-28T06:00:00+08:00', false],
      ['2026-11-27T03:00:00+08:00', false],
      ['2026-11-28T23:00:00+08:00', false],
    ] as const)
      expect(open('Asia/Shanghai', NIGHT, at), at).toBe(expected);
    const sunday = { windows: [{ days: [7], from: '20:00', to: '04:00' }] };
    expect(open('Asia/Shanghai', sunday, '2026-11-23T03:00:00+08:00')).toBe(true);
    const always = { windows: [{ days: [1], from: '00:00', to: '00:00' }] };
    expect(open('Asia/Shanghai', always, '2026-11-23T23:59:00+08:00')).toBe(true);
    expect(open('Asia/Shanghai', always, '2026-11-24T00:00:00+08:00')).toBe(false);
  });

  it('follows the clock through a change to summer time', () => {
    // In Berlin the clock goes from 02:00 to 03:00 on 29 March 2026, a Sunday.
    const early = { windows: [{ days: [7], from: '03:00', to: '04:00' }] };
    expect(open('Europe/Berlin', early, '2026-03-29T00:59:00Z')).toBe(false);
    expect(open('Europe/Berlin', early, '2026-03-29T01:00:00Z')).toBe(true);
    const schedules = new Schedules('Europe/Berlin');
    expect(schedules.lookAgain(Date.parse('2026-03-29T00:59:30Z'))).toBe(Date.parse('2026-03-29T01:00:00Z'));
  });
});
