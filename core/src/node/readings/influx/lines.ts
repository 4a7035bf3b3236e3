import type { SeriesKey } from '../../../model/reading.ts';

/**
 * Our shape in InfluxDB: the measurement is the metric, tags are `device` and (unless '') `point`, the field is `value`, a float.
 * Characters that line protocol cannot carry in a tag (backslash, control characters) are written as %XX, and so is % itself.
 */
function tagValue(text: string): string {
  return text.replace(/[%\\\p{Cc}]/gu, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Measurement and tags as a line begins; made once per series. */
export function lineHead({ device, point, metric }: SeriesKey): string {
  const tag = (name: string, value: string) =>
    value === '' ? '' : `,${name}=${tagValue(value).replace(/[,= ]/g, '\\$&')}`;
  return `${metric}${tag('device', device)}${tag('point', point)}`;
}

/** One line with its time in ms. String() would lose the sign of −0. */
export function line(head: string, time: number, value: number): string {
  return `${head} value=${Object.is(value, -0) ? '-0' : value} ${time}`;
}

/** InfluxQL source and condition of a series. */
export function seriesQuery({ device, point, metric }: SeriesKey): { from: string; where: string } {
  const text = (value: string) => `'${tagValue(value).replace(/'/g, "\\'")}'`;
  return { from: `"${metric}"`, where: `device = ${text(device)} AND point = ${text(point)}` };
}
