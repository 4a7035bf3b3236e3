import type { Clock, ReadingsStore, Service, Timer } from '@smart-fire/core';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The start has better things to do. */
const FIRST_AFTER_MS = 60_000;

/** How long readings are kept, and the hourly summaries that they leave. */
export interface KeepDays {
  readings: number;
  trends: number;
}

/** Has the store drop what is older than `keepDays`, every hour; one that is away is asked again an hour later. */
export function createRetention(deps: {
  readings: ReadingsStore;
  clock: Clock;
  keepDays: KeepDays;
  failed(error: unknown): void;
}): Service {
  const { readings, clock, keepDays, failed } = deps;
  let timer: Timer | null = null;
  let running: Promise<void> = Promise.resolve();
  let stopped = true;

  const once = () => {
    const before = (days: number) => clock.now() - days * DAY_MS;
    running = readings
      .retain({ readings: before(keepDays.readings), trends: before(keepDays.trends) })
      .catch(failed)
      .then(() => {
        if (!stopped) timer = clock.setTimeout(once, HOUR_MS);
      });
  };

  return {
    async start() {
      stopped = false;
      timer = clock.setTimeout(once, FIRST_AFTER_MS);
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      await running;
    },
  };
}
