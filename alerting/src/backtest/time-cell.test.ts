import { describe, expect, it } from 'vitest';
import { timeReader } from './time-cell.ts';

const shanghai = timeReader(1, 'Asia/Shanghai');
const iso = (time: number) => (Number.isNaN(time) ? 'none' : new Date(time).toISOString());

describe('a cell of a time column', () => {
  it('is ms, or seconds where that is said', () => {
    expect(shanghai('1582279846000')).toBe(1_582_279_846_000);
    expect(shanghai(' -5 ')).toBe(-5);
    const seconds = timeReader(1000, 'Asia/Shanghai');
    expect(seconds('2.00E+00')).toBe(2000);
    expect(seconds('1.5')).toBe(1500);
    expect(seconds('0')).toBe(0);
  });

  it.each([
    ['2020-03-09 10:14:33', '2020-03-09T02:14:33.000Z'],
    ['2020-03-09T10:14', '2020-03-09T02:14:00.000Z'],
    ['2020/3/9 9:05:07.25', '2020-03-09T01:05:07.250Z'],
    ['2020.03.09', '2020-03-08T16:00:00.000Z'],
    ['2020-03-09T10:14:33Z', '2020-03-09T10:14:33.000Z'],
    ['2020-03-09 10:14:33 UTC', '2020-03-09T10:14:33.000Z'],
    ['2020-03-09T10:14:33,5+05:30', '2020-03-09T04:44:33.500Z'],
    ['2020-03-09T10:14:33-0800', '2020-03-09T18:14:33.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
  ])('%s is read, without an offset in the configured zone', (cell, expected) => {
    expect(iso(shanghai(cell))).toBe(expected);
  });

  it.each([
    '',
    'NaN',
    'yesterday',
    '2020-02-31 10:00:00',
    '2020-13-01',
    '2020-03-09 25:00',
    '09/03/2020 10:14',
    'abc 1',
  ])('%j is no time', (cell) => {
    expect(shanghai(cell)).toBeNaN();
  });

  it('follows summer time', () => {
    const berlin = timeReader(1, 'Europe/Berlin');
    expect(iso(berlin('2024-03-31 01:59:59'))).toBe('2024-03-31T00:59:59.000Z');
    expect(iso(berlin('2024-03-31 03:00:00'))).toBe('2024-03-31T01:00:00.000Z');
    expect(iso(berlin('2024-10-27 04:00:00'))).toBe('2024-10-27T03:00:00.000Z');
  });
});
