import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALARM_CLASSES } from '@smart-fire/core';
import { describe, expect, it } from 'vitest';

const console = join(import.meta.dirname, '..');
const tokens = readFileSync(join(console, 'theme/tokens.css'), 'utf8');
const light = block(':root {');
const dark = block(':root[data-theme="dark"] {');

function block(head: string): Record<string, string> {
  const start = tokens.indexOf(head) + head.length;
  const text = tokens.slice(start, tokens.indexOf('}', start));
  return Object.fromEntries(
    [...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name, value]) => [name!, value!]),
  );
}

const channels = (hex: string) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);

/** WCAG 2.2 contrast ratio. */
function contrast(a: string, b: string): number {
  const luminance = (hex: string) => {
    const [r, g, b] = channels(hex).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

describe.each([
  ['light', light],
  ['dark', dark],
])('the %s theme', (_, theme) => {
  it('has no hue but in alarms and the focus ring', () => {
    for (const [name, value] of Object.entries(theme)) {
      if (name.startsWith('alarm-') || name === 'focus') continue;
      const all = channels(value);
      expect(Math.max(...all) - Math.min(...all), name).toBeLessThan(0.16);
    }
  });

  it('is readable: text has 4.5:1 on every surface and on every mark', () => {
    for (const surface of ['surface-0', 'surface-1', 'surface-2', 'surface-3', 'surface-hover', 'surface-selected']) {
      for (const ink of ['ink', 'ink-2', 'ink-3'])
        expect(contrast(theme[ink]!, theme[surface]!), `${ink} on ${surface}`).toBeGreaterThanOrEqual(4.5);
    }
    for (const name of ALARM_CLASSES) {
      expect(contrast(theme[`alarm-on-${name}`]!, theme[`alarm-${name}`]!), name).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(theme['on-accent']!, theme.accent!)).toBeGreaterThanOrEqual(4.5);
  });
});

it('no file but the tokens names a colour', () => {
  const named = readdirSync(console, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(vue|css)$/.test(name) && !name.endsWith('tokens.css'))
    .filter((name) =>
      /#[0-9a-f]{3,8}\b(?=[;\s,)])|\b(hsl|oklch)\(/i.test(
        readFileSync(join(console, name), 'utf8').replace(/href="#\w+"/g, ''),
      ),
    );
  expect(named).toEqual([]);
});
