import type { Figure } from './figures/figure.ts';
import { TARGETS } from './targets.ts';

/** Promised figures first, in the order of the table, then the others. */
export function inOrder(figures: readonly Figure[]): Figure[] {
  const order = Object.keys(TARGETS);
  const rank = ({ key }: Figure) => (key in TARGETS ? order.indexOf(key) : order.length);
  return [...figures].sort((a, b) => rank(a) - rank(b));
}

const shown = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2));

function verdict({ key, value }: Figure): string {
  const target = TARGETS[key];
  if (!target || value === null) return '';
  const reached = (limit: number) => (target.atLeast ? value >= limit : value <= limit);
  const sign = target.atLeast ? '≥' : '≤';
  const words = reached(target.aim) ? 'aim reached' : reached(target.must) ? 'must reached' : 'MISSED';
  return `${words.padEnd(13)} must ${sign} ${target.must}, aim ${sign} ${target.aim}`;
}

/** One line a figure. */
export function table(figures: readonly Figure[]): string[] {
  return figures.map((figure) => {
    const { key, value, why } = figure;
    const unit = TARGETS[key]?.unit ?? '';
    const text = value === null ? `not measured: ${why}` : `${shown(value)} ${unit}`;
    return `${key.padEnd(40)} ${text.padEnd(16)} ${verdict(figure)}`.trimEnd();
  });
}

/** `{key: {value, must, aim, samples}}`; not measurable: value null and why. */
export function toJson(figures: readonly Figure[]): string {
  const entries = figures.map(({ key, value, samples, why }) => {
    const target = TARGETS[key];
    const limits = target ? { must: target.must, aim: target.aim } : {};
    return [key, { value, ...(value === null ? { why } : {}), ...limits, samples }];
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
