import type { Alarm } from '@smart-fire/core';
import { connectAsync } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningCentre, startCentre } from '../harness/centre.ts';
import { until } from '../harness/until.ts';

let centre: RunningCentre | undefined;
afterEach(() => centre?.remove());

async function declare(index: number, ...events: object[]): Promise<void> {
  const { id, secret } = centre!.devices[index]!;
  const client = await connectAsync({
    host: '127.0.0.1',
    port: centre!.server.ports.mqtt,
    username: id,
    password: secret,
    clientId: id,
  });
  for (const event of events) await client.publishAsync(`smartfire/v1/${id}/event`, JSON.stringify(event), { qos: 1 });
  await client.endAsync();
}

const bare = ({ saved: _, ...alarm }: Alarm) => alarm;

describe('restart with open alarms', () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const)
    it(`keeps alarms and acknowledgements over ${signal}, raises none again and misses none`, async () => {
      centre = await startCentre({ devices: 3 });
      await declare(0, { seq: 1, event: 'fire' });
      await declare(1, { seq: 1, event: 'fire' }, { seq: 2, event: 'fire' });
      await until('both fires are alarms', async () => (await centre!.fireAlarms()).length === 2);
      const [first] = await centre.operator.alarmsOf('smoke-0');
      await centre.operator.post(`alarms/${first!.id}/acknowledge`, { reason: 'going there', version: first!.version });
      const before = (await centre.fireAlarms()).map(bare);

      // Acknowledged by the journal; whether the engine has seen it before the end is left to chance.
      await declare(2, { seq: 1, event: 'fire' });
      await centre.server.kill(signal);
      await centre.server.start();

      await until(
        'the fire just before the end is an alarm',
        async () => (await centre!.operator.alarmsOf('smoke-2')).length === 1,
      );
      const after = (await centre.fireAlarms()).map(bare);
      expect(after.filter((alarm) => alarm.device !== 'smoke-2')).toEqual(before);
      expect(after).toHaveLength(3);
      expect(after.find((alarm) => alarm.device === 'smoke-0')).toMatchObject({
        state: 'active-acknowledged',
        acknowledgeReason: 'going there',
      });
      expect(after.find((alarm) => alarm.device === 'smoke-1')).toMatchObject({ count: 2 });
    });
});
