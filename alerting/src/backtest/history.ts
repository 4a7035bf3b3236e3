import type { BacktestQuery, BacktestResult, ReadingsStore, Registry, SeriesRow } from '@smart-fire/core';
import { bindMetrics, HISTORY, unboundMetrics } from './bind-metrics.ts';
import { createSampler, ThinLine } from './chart.ts';
import { warmUpOf } from './command.ts';
import { historyPlace } from './history-place.ts';
import { openHistory } from './history-source.ts';
import { checkedRule } from './rule-source.ts';
import { runBacktest } from './run.ts';

export interface HistoryBacktestOptions extends BacktestQuery {
  registry: Registry;
  readings: Pick<ReadingsStore, 'points'>;
  /** Every series that the journal has numbered. */
  series: readonly SeriesRow[];
  timeZone: string;
}

/** Throws FIRE_NOT_FOUND, FIRE_BACKTEST_METRICS, FIRE_BACKTEST_EMPTY, FIRE_BACKTEST_STOPPED, FIRE_READINGS_UNAVAILABLE. */
export async function backtestHistory(options: HistoryBacktestOptions): Promise<BacktestResult> {
  const { device, from, to, readings, timeZone } = options;
  const rule = checkedRule(options.rule);
  const place = historyPlace(rule, device, options.registry, options.series);
  const rules = bindMetrics(rule, place.found, HISTORY);
  const lines = place.series.map(() => new ThinLine(from, to));
  const learned = place.series.map((): [number, number, number][] => []);
  const score = new ThinLine(from, to);
  const due = createSampler(from, to);
  const { rows, warmUp, episodes, alarms, timeInAlarm, remarks, ...rest } = await runBacktest({
    ...{ rules, registry: place.registry, timeZone, signal: options.signal },
    source: openHistory(readings, place.series, { from, to }),
    warmUp: { rows: options.warmUp ?? warmUpOf(rule) },
    onRow({ time, values, replay, score: now }) {
      for (const [at, line] of lines.entries()) if (!Number.isNaN(values[at]!)) line.add(time, values[at]!);
      score.add(time, now);
      if (!due(time)) return undefined;
      for (const { point, metric, low, high } of replay.learned(device)) {
        const at = place.series.findIndex(
          (one) => one.device === device && one.point === point && one.metric === metric,
        );
        learned[at]?.push([time, low, high]);
      }
      return undefined;
    },
  });
  return {
    ...{ readings: rest.readings, rows, warmUp, episodes, alarms, timeInAlarm, score: score.points },
    remarks: [...unboundMetrics(rules, place.found, false), ...remarks],
    series: place.series.map(({ device: of, point, metric }, at) => ({
      ...{ device: of, point, metric, points: lines[at]!.points, learned: learned[at]! },
    })),
  };
}
