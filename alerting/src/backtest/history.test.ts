import {
  BatchBuilder,
  errorSentence,
  type FireError,
  FLAG,
  Registry,
  type Rule,
  type SeriesRow,
  Words,
} from '@smart-fire/core';
import { presetRules, SENSOR_KINDS } from '@smart-fire/core/sensors';
import { MemoryReadings } from '@smart-fire/core/testing';
import { describe, expect, it } from 'vitest';
import { backtestHistory } from './history.ts';

const MINUTE = 60_000;
const FROM = Date.UTC(2026, 4, 1);

/** Two heat detectors of one zone; values by minute. */
async function centre(values: (device: string, minute: number) => number | null, minutes: number) {
  const registry = new Registry();
  registry.putArea({ id: 'county', parent: null, level: 'city', name: 'County', code: null, path: '/county/' });
  registry.putSite({ id: 'mill', area: 'county', name: 'Mill', address: '', contacts: [], path: '/county/mill/' });
  registry.putZone({ id: 'floor', site: 'mill', name: 'Floor' });
  const series: SeriesRow[] = [];
  const batch = new BatchBuilder();
  for (const [index, id] of ['heat-1', 'heat-2'].entries()) {
    registry.putDevice({
      ...{ id, kind: 'heat-detector', name: id, site: 'mill', zone: 'floor', gateway: null, location: '' },
      ...{ disabled: false, createdAt: 0, secretHash: '' },
    });
    series.push({ index: index + 3, device: id, point: '', metric: 'temperature' });
    batch.addSeries(series[index]!);
  }
  for (let minute = 0; minute < minutes; minute++)
    for (const { index, device } of series) {
      const value = values(device, minute);
      if (value !== null) batch.addReading(index, FROM + minute * MINUTE, FROM + minute * MINUTE, value, FLAG.range);
    }
  const readings = new MemoryReadings();
  await readings.write([batch.build()]);
  return { registry, series, readings, from: FROM, to: FROM + minutes * MINUTE, timeZone: 'Asia/Shanghai' };
}

function preset(id: string): Rule {
  return presetRules(SENSOR_KINDS).find((rule) => rule.id === id)!;
}

describe('backtest of stored history', () => {
  it('gives the alarms a rule would have raised, over more readings than one page', async () => {
    const stored = await centre((_, minute) => (minute >= 7000 && minute < 7010 ? 80 : 20 + (minute % 3)), 12_000);
    const found = await backtestHistory({ ...stored, rule: preset('preset:heat-detector:heat'), device: 'heat-1' });
    expect(found).toMatchObject({ readings: 12_000, rows: 12_000, alarms: 1, timeInAlarm: 10 * MINUTE });
    expect(found.episodes).toMatchObject([{ from: FROM + 7000 * MINUTE, to: FROM + 7010 * MINUTE, device: 'heat-1' }]);
    expect(found.series).toHaveLength(1);
    const { points, device, metric } = found.series[0]!;
    expect([device, metric]).toEqual(['heat-1', 'temperature']);
    expect(points.length).toBeLessThanOrEqual(1001);
    expect(Math.max(...points.map(([, value]) => value))).toBe(80);
    expect(found.score.length).toBeLessThanOrEqual(1001);
    expect(Math.max(...found.score.map(([, score]) => score))).toBeGreaterThanOrEqual(1);
  });

  it('of a rule for a zone reads all detectors of the zone', async () => {
    const stored = await centre(
      (device, minute) => (device === 'heat-2' && minute > 60 ? 20 + 3 * (minute - 60) : 20),
      90,
    );
    const found = await backtestHistory({ ...stored, rule: preset('preset:fire-fusion'), device: 'heat-1' });
    expect(found.series.map(({ device }) => device)).toEqual(['heat-1', 'heat-2']);
    expect(found.episodes).toMatchObject([{ device: 'heat-2' }]);
  });

  it('applies the overrides that are in force for the device, whatever the scope and mode', async () => {
    const stored = await centre((_, minute) => (minute === 5 ? 66 : 20), 10);
    const heat = preset('preset:heat-detector:heat');
    const overrides = [{ id: 'o', scope: { site: 'mill' }, changes: { limit: 65 } }];
    const rule: Rule = { ...heat, mode: 'shadow', scope: { kinds: ['smoke-detector'] }, overrides };
    expect(await backtestHistory({ ...stored, rule: heat, device: 'heat-1' })).toMatchObject({ alarms: 0 });
    expect(await backtestHistory({ ...stored, rule, device: 'heat-1' })).toMatchObject({ alarms: 1 });
  });

  it('is refused for a device that is not there, a rule that reads nothing of it, and a time without readings', async () => {
    const stored = await centre(() => 20, 10);
    const rule = preset('preset:heat-detector:heat');
    const refused = (code: string) => expect.objectContaining({ code });
    await expect(backtestHistory({ ...stored, rule, device: 'none' })).rejects.toEqual(refused('FIRE_NOT_FOUND'));
    const other = preset('preset:hydrant-pressure:pressure-low');
    const unread = await backtestHistory({ ...stored, rule: other, device: 'heat-1' }).catch((error: unknown) => error);
    const { code, message, params } = unread as FireError;
    expect(code).toBe('FIRE_BACKTEST_METRICS');
    expect(message).toMatch(
      / reads pressure; in what is stored of the device there is only temperature\. Choose a device/,
    );
    const chinese = Object.fromEntries(
      Object.entries(params).map(([name, value]) => [name, value instanceof Words ? value.zh : value]),
    );
    expect(errorSentence('FIRE_BACKTEST_METRICS', chinese, 'zh')).toMatch(
      /需要 pressure,而该设备的历史数据中只有 temperature。请选择上报该指标的设备/,
    );
    await expect(backtestHistory({ ...stored, rule, device: 'heat-1', from: 0, to: 10 })).rejects.toEqual(
      refused('FIRE_BACKTEST_EMPTY'),
    );
  });
});
