import type { History, LearnedRange, Limit } from '../api/types.ts';
import { number } from '../format/value.ts';

export interface ChartLook {
  ink: string;
  quiet: string;
  line: string;
  band: string;
  /** Behind everything: what was learned to be normal. */
  normal: string;
  /** Colour of a class's limits. */
  alarm: Record<string, string>;
  font: string;
}

export interface ChartWords {
  mean: string;
  range: string;
  normal: string;
  said: (limit: Limit) => string;
  clock: (at: number) => string;
}

/** One line on the other whatever their signs: below zero, too, the band is where the values are. */
export const BAND = { stack: 'band', stackStrategy: 'all' as const };

/**
 * A device's history as an ECharts option: the mean as a line over the band from lowest to highest of each bucket, and every limit drawn in.
 * What rules have learned to be normal lies behind it. Gaps stay gaps: an interval of no data longer than three buckets is not bridged.
 */
export function historyOption(
  history: History,
  learned: readonly LearnedRange[],
  from: number,
  to: number,
  look: ChartLook,
  words: ChartWords,
) {
  const points = withGaps(history.points);
  const values = history.points.flatMap(([, min, , max]) => [min, max]);
  const limits = history.limits.map(({ limit }) => limit);
  const [low, high] = extent([...values, ...limits, ...learned.flatMap((one) => [one.low, one.high])]);
  return {
    animation: false,
    textStyle: { fontFamily: look.font, color: look.ink },
    grid: { left: 8, right: 16, top: 36, bottom: 8, containLabel: true },
    xAxis: {
      type: 'time' as const,
      min: from,
      max: to,
      axisLine: { lineStyle: { color: look.quiet } },
      axisLabel: { color: look.ink, hideOverlap: true, formatter: (at: number) => words.clock(at) },
      splitNumber: 6,
    },
    yAxis: {
      type: 'value' as const,
      name: history.unit,
      min: low,
      max: high,
      nameTextStyle: { color: look.ink, align: 'left' as const },
      axisLabel: {
        color: look.ink,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (value: number) => number(value),
      },
      splitLine: { lineStyle: { color: look.quiet, opacity: 0.4 } },
    },
    // Drawn text: a tooltip made of HTML would need inline styles, which the Content-Security-Policy refuses.
    tooltip: {
      trigger: 'axis' as const,
      renderMode: 'richText' as const,
      backgroundColor: look.ink,
      textStyle: { color: look.band, fontFamily: look.font },
      formatter: (all: { data: number[] }[]) => {
        const [at, min, span, mean] = tooltipRow(all, history.points);
        return at === undefined
          ? ''
          : `${words.clock(at)}\n${words.mean} ${number(mean!)} ${history.unit}\n${words.range} ${number(min!)} – ${number(min! + span!)}`;
      },
    },
    series: [
      // The band: an invisible line at the lowest values, and on it the height up to the highest.
      {
        type: 'line' as const,
        data: points.map(([at, min]) => [at, min]),
        ...BAND,
        lineStyle: { opacity: 0 },
        symbol: 'none',
        silent: true,
      },
      {
        type: 'line' as const,
        name: words.range,
        data: points.map(([at, min, , max]) => [at, max === null || min === null ? null : max - min]),
        ...BAND,
        lineStyle: { opacity: 0 },
        areaStyle: { color: look.band, opacity: 0.7 },
        symbol: 'none',
        silent: true,
      },
      {
        type: 'line' as const,
        name: words.mean,
        data: points.map(([at, , mean]) => [at, mean]),
        lineStyle: { color: look.line, width: 1.6 },
        itemStyle: { color: look.line },
        symbol: history.points.length < 3 ? ('circle' as const) : ('none' as const),
        markArea: {
          silent: true,
          data: learned.map((one) => [
            {
              ...{ name: words.normal, yAxis: one.low, itemStyle: { color: look.normal, opacity: 0.55 } },
              label: { position: 'insideBottomRight' as const, color: look.ink },
            },
            { yAxis: one.high },
          ]),
        },
        markLine: {
          silent: true,
          symbol: 'none',
          data: history.limits.map((limit) => ({
            yAxis: limit.limit,
            lineStyle: { color: look.alarm[limit.class] ?? look.ink, type: 'dashed' as const, width: 1.5 },
            label: {
              formatter: `${limit.direction === 'above' ? '↑' : '↓'} ${number(limit.limit)} ${words.said(limit)}`,
              position: 'insideStartTop' as const,
              color: look.ink,
            },
          })),
        },
      },
    ],
  };
}

type Bucket = [at: number, min: number | null, mean: number | null, max: number | null];

/** Puts an empty bucket into every hole, so that no line is drawn over time without data. */
export function withGaps(points: History['points']): Bucket[] {
  const steps = points.slice(1).map(([at], i) => at - points[i]![0]);
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  const result: Bucket[] = [];
  points.forEach((point, i) => {
    result.push(point);
    const step = steps[i];
    if (step !== undefined && step > 3 * usual) result.push([point[0] + usual, null, null, null]);
  });
  return result;
}

/** Lowest and highest value to show, with a tenth of room on both sides. */
export function extent(values: number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const room = (high - low || Math.abs(high) || 1) / 10;
  // Where nothing is below zero, neither is the axis.
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function tooltipRow(all: { data: number[] }[], points: History['points']): (number | undefined)[] {
  const at = all[0]?.data[0];
  const point = points.find(([time]) => time === at);
  return point ? [point[0], point[1], point[3] - point[1], point[2]] : [];
}
