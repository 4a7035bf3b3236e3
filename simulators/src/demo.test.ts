import { systemClock } from '@smart-fire/core/node';
import { describe, expect, it, vi } from 'vitest';
import { runDemo } from './demo.ts';
import { DEMO_COUNTY } from './demo-county.ts';
import { startPlainBroker } from './testing/plain-broker.ts';

describe('the demo', () => {
  it('brings every device of the county to life, with a past to look at, and ends without a trace', async () => {
    const broker = await startPlainBroker((username) => `secret of ${username}`);
    const devices = DEMO_COUNTY.devices.map(({ id }) => ({ id, secret: `secret of ${id}` }));
    const demo = await runDemo({ host: '127.0.0.1', port: broker.port, devices, clock: systemClock });
    const heard = () =>
      new Set(broker.heard.filter(({ topic }) => topic.endsWith('/telemetry')).map(({ topic }) => topic));
    await vi.waitFor(() => expect(heard().size).toBe(DEMO_COUNTY.devices.length), { timeout: 15_000, interval: 50 });
    const history = broker.heard.find(({ payload }) => payload.startsWith('['))!;
    expect(Date.now() - JSON.parse(history.payload)[0].ts).toBeGreaterThan(5 * 3_600_000);
    await demo.stop();
    await vi.waitFor(() => expect(broker.clients()).toEqual([]));
    await broker.close();
  });
});
