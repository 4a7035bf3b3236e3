import { describe, expect, it } from 'vitest';
import { duration, timeFormat } from './time.ts';
import { bytes, number, quantity } from './value.ts';

const at = Date.UTC(2026, 10, 23, 16, 3, 9);

describe('times', () => {
  it('are shown in the centre’s time zone, with a 24-hour clock in both languages', () => {
    expect(timeFormat('zh', 'Asia/Shanghai').full(at)).toBe('2026-11-24 00:03:09');
    expect(timeFormat('en', 'Asia/Shanghai').full(at)).toBe('2026-11-24 00:03:09');
    expect(timeFormat('en', 'UTC').clock(at)).toBe('16:03:09');
  });

  it('leave out what is the same as now', () => {
    const { short } = timeFormat('zh', 'UTC');
    expect(short(at, at + 60_000)).toBe('16:03:09');
    expect(short(at, at + 86_400_000)).toBe('11-23 16:03:09');
    expect(short(at, Date.UTC(2027, 0, 1))).toBe('2026-11-23 16:03:09');
  });
});

describe('durations', () => {
  it.each([
    [0, '0 秒'],
    [42_999, '42 秒'],
    [200_000, '3 分 20 秒'],
    [7_500_000, '2 小时 5 分'],
    [3_600_000, '1 小时'],
    [273_600_000, '3 天 4 小时'],
    [-5, '0 秒'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms, 'zh')).toBe(text));

  it('have English units', () => expect(duration(200_000, 'en')).toBe('3 min 20 s'));
});

describe('values', () => {
  it.each([
    [0, '0'],
    [23.456, '23.46'],
    [0.012345, '0.01235'],
    [1013.25, '1013'],
    [-3.1, '-3.1'],
    [Number.NaN, '—'],
  ])('%d is written %s', (value, text) => expect(number(value)).toBe(text));

  it('carry their unit, counts none', () => {
    expect(quantity(23.4, 'temperature')).toBe('23.4 °C');
    expect(quantity(3, 'arcs')).toBe('3');
  });

  it('of bytes are binary', () => {
    expect(bytes(0)).toBe('0 B');
    expect(bytes(1536)).toBe('1.5 KiB');
    expect(bytes(20 * 1024 ** 3)).toBe('20 GiB');
  });
});
