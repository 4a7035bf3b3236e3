import { randomInt } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningCentre, startCentre } from '../harness/centre.ts';
import { DurableLoad } from '../harness/durable-load.ts';
import { until } from '../harness/until.ts';

/**
 * The first promise, by force: what was acknowledged is stored exactly once, and every fire belongs to exactly one alarm,
 * whatever moment the server is killed at.
 */
const DEVICES = 100;
const BURNING = 20;
const READINGS_A_SECOND = 2_500;
const KILLS = 10;

let centre: RunningCentre | undefined;
let load: DurableLoad | undefined;
afterEach(async () => {
  await load?.stop();
  await centre?.remove();
});

describe.each(['on', 'off'])('kill -9 under load, with the fast path %s', (fastPath) => {
  it(`loses no acknowledged reading and no fire over ${KILLS} kills at random moments`, {
    timeout: 240_000,
  }, async () => {
    centre = await startCentre({ devices: DEVICES + BURNING, env: { MQTT_FAST_PATH: fastPath } });
    const burning = centre.devices.splice(0, BURNING);
    load = new DurableLoad({
      port: centre.server.ports.mqtt,
      devices: centre.devices,
      rate: READINGS_A_SECOND,
      burning,
    });
    await load.start();
    for (let kill = 0; kill < KILLS; kill++) {
      // A random amount of acknowledged work, not a time: the kill falls anywhere between two commits.
      await load.acknowledgedMore(randomInt(500, 4_000));
      await centre.server.kill('SIGKILL');
      await centre.server.start();
    }
    await load.acknowledgedMore(2_000);
    await load.finish();

    const stored = await centre.storedReadings();
    expect(load.missingFrom(stored)).toEqual([]);
    expect(load.notSentIn(stored)).toEqual([]);

    const sent = Object.fromEntries(load.burningDevices().map((device) => [device, load!.firesOf(device)]));
    expect(Object.keys(sent).length).toBeGreaterThan(3);
    let counted: Record<string, number> = {};
    await until('the engine has caught up', async () => {
      const alarms = await centre!.fireAlarms();
      counted = Object.fromEntries(alarms.map((alarm) => [alarm.device, alarm.count]));
      return alarms.length >= Object.keys(sent).length;
    });
    expect(await centre.fireAlarms()).toHaveLength(Object.keys(sent).length);
    expect(counted).toEqual(sent);
  });
});
