import { FireError, type ReadingsStore } from '@smart-fire/core';

/** A readings store that gives at most so many points in all; FIRE_BACKTEST_TOO_MUCH beyond. */
export function boundedReadings(
  readings: Pick<ReadingsStore, 'points'>,
  most: { days: number; readings: number },
): Pick<ReadingsStore, 'points'> {
  let given = 0;
  return {
    async points(query, limit) {
      const page = await readings.points(query, limit);
      given += page.length;
      if (given > most.readings) throw new FireError('FIRE_BACKTEST_TOO_MUCH', most);
      return page;
    },
  };
}
