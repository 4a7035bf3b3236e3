import { ALARM_CLASSES } from '@smart-fire/core';
import { describe, expect, it } from 'vitest';
import { renderTone, TONES } from './tones.ts';

describe('the tones', () => {
  it.each(ALARM_CLASSES)('of %s is audible, never clips, and ends where it can be looped', (name) => {
    const samples = renderTone(name, 8000);
    expect(Math.max(...samples)).toBeGreaterThan(0.3);
    expect(Math.max(...samples.map(Math.abs))).toBeLessThanOrEqual(1);
    expect(samples.at(-1)).toBe(0);
  });

  it('are all different', () => {
    const patterns = ALARM_CLASSES.map((name) => JSON.stringify(TONES[name]));
    expect(new Set(patterns).size).toBe(ALARM_CLASSES.length);
  });

  it('leave a shorter silence the more urgent the class', () => {
    const pauses = ALARM_CLASSES.map((name) => TONES[name].at(-1)!.seconds);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  });
});
