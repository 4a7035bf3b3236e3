import type { Clock, ReadingsStore, Service, Timer } from '@smart-fire/core';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The start has better things to do. */
const FIRST_AFTER_MS = 60_000;

/** Drops readings older than `keepDays`, every hour; a store that is away is asked again an hour later. */
export function createRetention(deps: {
  readings: ReadingsStore;
  clock: Clock;
  keepDays: number;
  failed(error: unknown): void;
}): Service {
  const { readings, clock, keepDays, failed } = deps;
  let timer: Timer | null = null;
  let running: Promise<void> = Promise.resolve();
  let stopped = true;

  const once = () => {
    running = readings
      .retain(clock.now() - keepDays * DAY_MS)
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
