// Loaded into the server (`node --import`): tells on SIGUSR2 how long its event loop was blocked at most since it was last asked.
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 1;
const file = process.env.LOOP_DELAY_FILE;

if (isMainThread && file) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let count = 0;
  delays.enable();
  process.on('SIGUSR2', () => {
    const maxMs = Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
    delays.reset();
    writeFileSync(`${file}.new`, JSON.stringify({ count: ++count, maxMs }));
    renameSync(`${file}.new`, file);
  });
}
