import type { Level } from '@smart-fire/core';
import type { BacktestAnswer } from '../api/types.ts';
import { BAND, extent } from '../device/chart-option.ts';
import { number } from '../format/value.ts';

export interface BacktestLook {
  ink: string;
  quiet: string;
  line: string;
  band: string;
  /** Shades of what would have been an alarm. */
  early: string;
  fire: string;
  font: string;
}

export interface BacktestWords {
  score: string;
  limit: string;
  normal: string;
  /** Name and unit of a metric. */
  metric: (name: string) => { name: string; unit: string };
  clock: (at: number) => string;
}

const TOP = 34;
const BETWEEN = 46;
const BOTTOM = 30;
const LEFT = 64;
/** A title begins at the left edge; what a phone has no room for is cut. */
const TITLE = { maxWidth: 310, ellipsis: '…' };

/** Height of one metric's plot: few are drawn large. */
const plotHeight = (plots: number) => (plots <= 2 ? 150 : plots <= 4 ? 110 : 84);
export const chartHeight = (plots: number) => TOP + plots * plotHeight(plots) + (plots - 1) * BETWEEN + BOTTOM;

/**
 * What would have happened as an ECharts option: one plot per metric over the same time with what was held for normal behind it, the score
 * with its limit last, and every would-be alarm shaded through all of them.
 */
export function backtestOption(
  result: BacktestAnswer,
  from: number,
  to: number,
  look: BacktestLook,
  words: BacktestWords,
) {
  const several = new Set(result.series.map(({ device }) => device)).size > 1;
  const plots = result.series.length + 1;
  const height = plotHeight(plots);
  const axis = (index: number) => ({ xAxisIndex: index, yAxisIndex: index });
  const shade = (level: Level | null) => ({ color: level === 'fire' ? look.fire : look.early, opacity: 0.22 });
  const alarms = {
    silent: true,
    data: result.episodes.map(({ from: begin, to: end, level }) => [
      { xAxis: begin, itemStyle: shade(level) },
      { xAxis: end ?? to },
    ]),
  };
  const name = (text: string) => ({
    ...{ name: text, nameTruncate: TITLE },
    nameTextStyle: { color: look.ink, align: 'left' as const, padding: [0, 0, 0, -LEFT] },
  });
  const valueAxis = (index: number, title: string, [low, high]: [number, number]) => ({
    ...{ type: 'value' as const, gridIndex: index, min: low, max: high, splitNumber: 3, ...name(title) },
    axisLabel: { color: look.ink, showMinLabel: false, showMaxLabel: false, formatter: number },
    splitLine: { lineStyle: { color: look.quiet, opacity: 0.4 } },
  });
  const line = (index: number, data: (number | null)[][], more: object) => ({
    ...{ type: 'line' as const, ...axis(index), data, lineStyle: { color: look.line, width: 1.4 } },
    ...{ itemStyle: { color: look.line }, symbol: data.length < 3 ? 'circle' : 'none', ...more },
  });
  const hidden = { lineStyle: { opacity: 0 }, symbol: 'none', silent: true };

  return {
    animation: false,
    textStyle: { fontFamily: look.font, color: look.ink },
    axisPointer: { link: [{ xAxisIndex: 'all' as const }], lineStyle: { color: look.quiet } },
    grid: Array.from({ length: plots }, (_, i) => ({
      ...{ left: LEFT, right: 16, top: TOP + i * (height + BETWEEN), height },
      // Whatever its labels are, a plot is as wide as the others: the same time lies under the same time.
      outerBoundsMode: 'none' as const,
    })),
    xAxis: Array.from({ length: plots }, (_, i) => ({
      ...{ type: 'time' as const, gridIndex: i, min: from, max: to, splitNumber: 6 },
      axisLine: { lineStyle: { color: look.quiet } },
      axisTick: { show: i === plots - 1 },
      axisLabel: { show: i === plots - 1, color: look.ink, hideOverlap: true, formatter: words.clock },
    })),
    yAxis: [
      ...result.series.map(({ deviceName, metric, point, points, learned }, i) => {
        const values = [...points.map(([, value]) => value), ...learned.flatMap(([, low, high]) => [low, high])];
        const { name: title, unit } = words.metric(metric);
        return valueAxis(
          i,
          [title, unit && `(${unit})`, several && deviceName, point].filter(Boolean).join(' '),
          extent(values),
        );
      }),
      valueAxis(plots - 1, words.score, [0, Math.max(1.4, ...result.score.map(([, value]) => Math.min(value, 5)))]),
    ],
    tooltip: {
      ...{ trigger: 'axis' as const, renderMode: 'richText' as const, backgroundColor: look.ink },
      textStyle: { color: look.band, fontFamily: look.font },
      formatter: (all: { seriesName?: string; data: number[] }[]) =>
        [
          words.clock(all[0]?.data[0] ?? from),
          ...all.filter(({ seriesName }) => seriesName).map((one) => `${one.seriesName} ${number(one.data[1]!)}`),
        ].join('\n'),
    },
    series: [
      ...result.series.flatMap(({ metric, points, learned }, i) => [
        // The band: an invisible line at its lower edge, and on it the height up to the upper one.
        ...(learned.length > 0
          ? [
              line(
                i,
                learned.map(([at, low]) => [at, low]),
                { ...hidden, ...BAND, stack: `band-${i}` },
              ),
              line(
                i,
                learned.map(([at, low, high]) => [at, high - low]),
                {
                  ...{ ...hidden, ...BAND, stack: `band-${i}`, areaStyle: { color: look.band, opacity: 0.7 } },
                },
              ),
            ]
          : []),
        line(i, withHoles(points), { name: words.metric(metric).name, markArea: alarms }),
      ]),
      line(plots - 1, withHoles(result.score), {
        name: words.score,
        areaStyle: { color: look.band, opacity: 0.4 },
        markArea: alarms,
        markLine: {
          ...{ silent: true, symbol: 'none', lineStyle: { color: look.ink, type: 'dashed' as const, width: 1.5 } },
          data: [{ yAxis: 1, label: { formatter: words.limit, position: 'insideStartTop' as const, color: look.ink } }],
        },
      }),
    ],
  };
}

/** Time without data stays empty: no line over more than ten of the usual steps. */
export function withHoles(points: readonly [number, number][]): [number, number | null][] {
  const steps = points.slice(1).map(([at], i) => at - points[i]![0]);
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  return points.flatMap((point, i): [number, number | null][] =>
    (steps[i] ?? 0) > 10 * usual ? [point, [point[0] + usual, null]] : [point],
  );
}
