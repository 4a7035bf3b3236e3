import { describe, expect, it } from 'vitest';
import { findColumns } from './columns.ts';

const header = ['time', 'a', 'Volume Flow RateRMS', 'flow, left', 'x=y', 'say "hi"', 'anomaly', 'twice', 'twice'];
const find = (values: string, time = 'time', label?: string) => findColumns({ time, values, label }, header, 'f.csv');
const metrics = (values: string) => find(values).series.map(({ device, metric }) => `${device} ${metric}`);

describe('columns', () => {
  it('are found by name, with spaces, commas and quotes in it, and are metrics of their own without =', () => {
    expect(find('a,Volume Flow RateRMS, "flow, left" ,"say ""hi"""').values).toEqual([1, 2, 3, 5]);
    expect(metrics('a,Volume Flow RateRMS')).toEqual(['recording-1 a', 'recording-1 Volume Flow RateRMS']);
  });

  it('are given a metric by =, also quoted ones, and a column that has = in its name is that column', () => {
    expect(metrics('a=temperature,"flow, left"=flow')).toEqual(['recording-1 temperature', 'recording-1 flow']);
    expect(find('x=y').values).toEqual([4]);
    expect(metrics('x=y')).toEqual(['recording-1 x=y']);
    expect(metrics('x=y=flow')).toEqual(['recording-1 flow']);
  });

  it('of one metric belong to different detectors, the first ones of each metric to the first', () => {
    expect(metrics('a=temperature,anomaly=co,Volume Flow RateRMS=temperature')).toEqual([
      'recording-1 temperature',
      'recording-1 co',
      'recording-2 temperature',
    ]);
  });

  it('of time are ms unless :s is said', () => {
    expect(find('a').unitMs).toBe(1);
    expect(find('a', 'time:s')).toMatchObject({ unitMs: 1000, time: 0 });
  });

  it('that are not there, or twice, are refused with the names of those that are', () => {
    for (const wrong of [
      () => find('b'),
      () => find('a', 'clock'),
      () => find('a', 'time', 'label'),
      () => find('twice'),
    ])
      expect(wrong).toThrow(
        expect.objectContaining({
          code: 'FIRE_BACKTEST_COLUMN',
          message: expect.stringContaining('"Volume Flow RateRMS"'),
        }),
      );
    expect(() => find('')).toThrow(expect.objectContaining({ code: 'FIRE_BACKTEST_COLUMN' }));
  });
});
