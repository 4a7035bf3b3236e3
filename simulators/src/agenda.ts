import type { Clock, Timer } from '@smart-fire/core';

const TICK_MS = 25;

/** Who is due when: one timer and one bucket per tick instead of a timer per device. An item has one date; a new one replaces it. */
export interface Agenda<Item> {
  start(): void;
  put(item: Item, inMs: number): void;
  stop(): void;
}

export function createAgenda<Item extends object>(clock: Clock, due: (item: Item) => void): Agenda<Item> {
  const buckets = new Map<number, Item[]>();
  const dates = new Map<Item, number>();
  let timer: Timer | null = null;
  let tick = 0;
  let origin = 0;

  function run(): void {
    const last = Math.floor((clock.now() - origin) / TICK_MS);
    for (; tick <= last; tick += 1) {
      const bucket = buckets.get(tick);
      buckets.delete(tick);
      for (const item of bucket ?? []) {
        // An item that was put elsewhere meanwhile left its old place behind.
        if (dates.get(item) !== tick) continue;
        dates.delete(item);
        due(item);
      }
    }
  }

  return {
    start() {
      origin = clock.now();
      timer = clock.setInterval(run, TICK_MS);
    },
    put(item, inMs) {
      const wanted = Math.ceil((clock.now() - origin + Math.max(0, inMs)) / TICK_MS);
      const date = Math.max(tick + 1, wanted);
      dates.set(item, date);
      const bucket = buckets.get(date);
      if (bucket) bucket.push(item);
      else buckets.set(date, [item]);
    },
    stop() {
      timer?.cancel();
      buckets.clear();
      dates.clear();
    },
  };
}
