import { metricWords } from '@smart-fire/core';

/** Enough digits for a person: four significant ones, no trailing zeros, no exponent within what sensors send. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '—';
  if (Number.isInteger(value)) return String(value);
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  return String(Number(value.toFixed(Math.min(6, Math.max(0, 3 - magnitude)))));
}

/** A value with its unit: `23.4 °C`. */
export function quantity(value: number, metric: string): string {
  const { unit } = metricWords(metric);
  return unit === 'count' ? number(value) : `${number(value)} ${unit}`;
}

/** Bytes in binary units: `1.5 MiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${Number((value / 1024 ** step).toFixed(1))} ${units[step]}`;
}
