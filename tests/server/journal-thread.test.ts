import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { type RunningCentre, startCentre } from '../harness/centre.ts';
import { DurableLoad } from '../harness/durable-load.ts';
import { until } from '../harness/until.ts';

const HOOK = fileURLToPath(new URL('../harness/end-journal-thread.ts', import.meta.url));

let centre: RunningCentre | undefined;
let load: DurableLoad | undefined;
afterEach(async () => {
  await load?.stop();
  await centre?.remove();
});

it('ends when its journal thread dies, says why, and loses nothing that was acknowledged when it is started again', {
  timeout: 90_000,
}, async () => {
  const trigger = join(tmpdir(), `end-journal-thread-${process.pid}`);
  centre = await startCentre({
    devices: 50,
    env: { NODE_OPTIONS: `--import=${HOOK}`, END_JOURNAL_THREAD: trigger },
  });
  load = new DurableLoad({ port: centre.server.ports.mqtt, devices: centre.devices, rate: 1000, burning: [] });
  await load.start();
  await load.acknowledgedMore(2000);
  writeFileSync(trigger, '');
  const { server } = centre;
  await until('the server has ended', () => server.exitCode === 1);
  expect(server.output).toContain('the journal has stopped');
  rmSync(trigger);
  await server.start();
  await load.acknowledgedMore(1000);
  await load.finish();
  const stored = await centre.storedReadings();
  expect(load.missingFrom(stored)).toEqual([]);
  expect(load.notSentIn(stored)).toEqual([]);
});
