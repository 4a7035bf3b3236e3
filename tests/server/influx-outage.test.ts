import { afterEach, describe, expect, it } from 'vitest';
import { type RunningCentre, startCentre } from '../harness/centre.ts';
import { DurableLoad } from '../harness/durable-load.ts';
import { type Influxd, startInfluxd } from '../harness/influxd.ts';
import { missing } from '../harness/require.ts';
import { until } from '../harness/until.ts';

let influxd: Influxd | undefined;
let centre: RunningCentre | undefined;
let load: DurableLoad | undefined;
afterEach(async () => {
  await load?.stop();
  await centre?.remove();
  await influxd?.remove();
});

describe.skipIf(missing('influxd'))('InfluxDB comes and goes under load', () => {
  it('is told to people meanwhile, and has every acknowledged reading once it is back', {
    timeout: 180_000,
  }, async () => {
    influxd = await startInfluxd();
    centre = await startCentre({ devices: 40, env: { READINGS_URL: influxd.readingsUrl } });
    load = new DurableLoad({ port: centre.server.ports.mqtt, devices: centre.devices, rate: 2_000 });
    await load.start();
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await load.acknowledgedMore(2_000);
      await influxd.stop(signal);
      await load.acknowledgedMore(6_000);
      await until('the console is told', async () => (await centre!.health('readings'))?.level === 'degraded');
      const ready = await fetch(`${centre.server.url}/readyz`);
      expect(ready.status).toBe(200);
      expect(await ready.text()).toContain('readings');
      expect(await (await fetch(`${centre.server.url}/metrics`)).text()).toMatch(
        /smartfire_readings_\w*lag\w*(\{.*\})? [1-9]/,
      );
      await influxd.start();
      await until('it has caught up', async () => (await centre!.health('readings'))?.level === 'ok');
    }
    // Both away at once: the journal alone carries it over.
    await load.acknowledgedMore(2_000);
    await influxd.stop('SIGKILL');
    await load.acknowledgedMore(2_000);
    await centre.server.kill('SIGKILL');
    await centre.server.start();
    await load.acknowledgedMore(2_000);
    await influxd.start();
    await load.finish();
    const stored = await centre.storedReadings();
    expect(load.missingFrom(stored)).toEqual([]);
    expect(load.notSentIn(stored)).toEqual([]);
  });
});
