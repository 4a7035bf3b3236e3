import { randomInt } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type Centre, startCentre } from '../harness/centre.ts';
import { DurableLoad } from '../harness/durable-load.ts';

/**
 * The first promise, by force: what was acknowledged is stored exactly once, and every fire belongs to exactly one alarm,
 * whatever moment the server is killed at.
 */
const DEVICES = 100;
const READINGS_A_SECOND = 2_500;
const KILLS = 10;

let centre: Centre | undefined;
let load: DurableLoad | undefined;
afterEach(async () => {
  await load?.stop();
  await centre?.remove();
});

describe('kill -9 under load', () => {
  it(`loses no acknowledged reading and no fire over ${KILLS} kills at random moments`, {
    timeout: 180_000,
  }, async () => {
    centre = await startCentre({ devices: DEVICES });
    load = new DurableLoad({ port: centre.server.ports.mqtt, devices: centre.devices, rate: READINGS_A_SECOND });
    await load.start();
    for (let kill = 0; kill < KILLS; kill++) {
      // A random amount of acknowledged work, not a time: the kill falls anywhere between two commits.
      await load.acknowledgedMore(randomInt(500, 2_500));
      load.fire(centre.devices[randomInt(DEVICES)]!.id);
      await load.acknowledgedMore(randomInt(1, 40));
      await centre.server.kill('SIGKILL');
      await centre.server.start();
    }
    await load.acknowledgedMore(2_000);
    await load.finish();

    const stored = await centre.storedReadings();
    expect(load.missingFrom(stored)).toEqual([]);
    expect(load.notSentIn(stored)).toEqual([]);
    const alarms = await centre.fireAlarms();
    expect(alarms.map((alarm) => alarm.device).sort()).toEqual([...load.firedDevices()].sort());
    for (const alarm of alarms) expect(alarm.count, `fires of ${alarm.device}`).toBe(load.firesOf(alarm.device));
  });
});
