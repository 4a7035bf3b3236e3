import { expect, it } from 'vitest';
import { boundedReadings } from './bounded-readings.ts';

it('gives so many points in all and then says that it is too much', async () => {
  const query = { device: 'd', point: '', metric: 'temperature' as const, from: 0, to: 100 };
  const { points } = boundedReadings(
    { points: async (_, limit) => Array(limit).fill([0, 0]) },
    { days: 31, readings: 10 },
  );
  expect(await points(query, 6)).toHaveLength(6);
  expect(await points(query, 4)).toHaveLength(4);
  await expect(points(query, 1)).rejects.toMatchObject({ code: 'FIRE_BACKTEST_TOO_MUCH', params: { readings: 10 } });
});
