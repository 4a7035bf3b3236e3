import assert from 'node:assert';
import { createLog, openState, systemClock } from '@smart-fire/core/node';
// @ts-expect-error it ships without types
import suite from 'aedes-persistence/abstract.js';
import { describe, it } from 'vitest';
import { Persistence } from './persistence.ts';

interface Context {
  assert: typeof assert;
  plan(count: number): void;
  diagnostic(text: string): void;
}

/** The suite that aedes-persistence ships for every implementation, run over a real state store. */
const abstractSuite = suite as (options: {
  test: (name: string, body: (context: Context) => Promise<void>) => void;
  persistence: () => Promise<Persistence>;
  testAsync: true;
}) => void;

describe('the abstract tests of aedes-persistence', () => {
  abstractSuite({
    test: (name, body) => {
      it(name, () => body({ assert, plan() {}, diagnostic() {} }));
    },
    persistence: async () =>
      new Persistence({
        state: await openState('sqlite::memory:', { dataDir: '.', clock: systemClock }),
        clock: systemClock,
        log: createLog('silent'),
        queueMax: 1000,
        sessionMs: 86_400_000,
        allowed: () => true,
        forgotten() {},
      }),
    testAsync: true,
  });
});
