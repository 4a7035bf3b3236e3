import { expect, it } from 'vitest';
import { isRunning, isWithin } from './store.ts';

const device = { id: 'tank-1', kind: 'tank-level', site: 'mill', zone: 'roof' };

it('a device is in a window when all that the window names fits', () => {
  expect(isWithin(device, {})).toBe(true);
  expect(isWithin(device, { site: 'mill', kinds: ['tank-level'] })).toBe(true);
  expect(isWithin(device, { site: 'mill', kinds: ['smoke-alarm'] })).toBe(false);
  expect(isWithin(device, { area: 'east' }, '/county/east/mill/')).toBe(true);
  expect(isWithin(device, { area: 'west' }, '/county/east/mill/')).toBe(false);
  expect(isWithin(device, { zone: 'cellar' })).toBe(false);
  expect(isWithin(device, { device: 'tank-1' })).toBe(true);
});

it('a window runs from its beginning to just before its end', () => {
  const window = { from: 10, to: 20 };
  expect([9, 10, 19, 20].map((now) => isRunning(window, now))).toEqual([false, true, true, false]);
});
