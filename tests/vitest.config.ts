import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// One seed for the whole run: setting it again repeats every property test as it was.
process.env.FAST_CHECK_SEED ??= String(randomInt(2 ** 31));

const root = fileURLToPath(new URL('..', import.meta.url));
const alone = { fileParallelism: false, maxWorkers: 1 } as const;

/** Five groups, cheapest first; see run.ts. Files that start servers, browsers or containers run one at a time. */
export default defineConfig({
  root,
  test: {
    projects: [
      {
        root,
        test: {
          name: 'unit',
          include: [
            '{core,broker,ingest,alerting,simulators,web}/src/**/*.test.ts',
            'web/console/**/*.test.ts',
            'tests/{bench,score}/**/*.test.ts',
          ],
          setupFiles: ['tests/harness/fast-check.ts'],
          testTimeout: 20_000,
        },
      },
      {
        // The broker keeps every promise without its fast path too.
        root,
        test: {
          name: 'unit-aedes-only',
          include: ['broker/src/*.test.ts'],
          setupFiles: ['tests/harness/fast-check.ts'],
          env: { MQTT_FAST_PATH: 'off' },
          testTimeout: 20_000,
        },
      },
      ...(['server', 'browser', 'compose'] as const).map((name) => ({
        root,
        test: {
          name,
          include: [`tests/${name}/**/*.test.ts`],
          setupFiles: ['tests/harness/fast-check.ts'],
          ...alone,
          testTimeout: name === 'compose' ? 240_000 : 90_000,
          hookTimeout: name === 'compose' ? 240_000 : 60_000,
        },
      })),
    ],
  },
});
