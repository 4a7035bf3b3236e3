import { setTimeout as pause } from 'node:timers/promises';

/** Ask again and again until the answer is true; fails with the words after `ms`. An error counts as "not yet". */
export async function until(what: string, condition: () => Promise<boolean> | boolean, ms = 30_000): Promise<void> {
  const deadline = performance.now() + ms;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      if (await condition()) return;
    } catch (error) {
      last = error;
    }
    await pause(50);
  }
  throw new Error(`not within ${ms} ms: ${what}`, { cause: last });
}
