import type { Alarm, BacktestResult, RuleInForce, RuleRecord, WithheldRecord } from '@smart-fire/core';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, expect, it } from 'vitest';
import type { Page } from '../harness/api.ts';
import { type RunningCentre, startCentre } from '../harness/centre.ts';
import { until } from '../harness/until.ts';

let centre: RunningCentre | undefined;
let client: MqttClient | undefined;
afterEach(async () => {
  await client?.endAsync(true);
  client = undefined;
  await centre?.remove();
});

async function connect(index: number): Promise<void> {
  await client?.endAsync(true);
  const { id, secret } = centre!.devices[index]!;
  const { mqtt } = centre!.server.ports;
  client = await connectAsync({ host: '127.0.0.1', port: mqtt, username: id, password: secret, clientId: id });
}

let seq = 0;
async function send(index: number, battery: number): Promise<void> {
  const { id } = centre!.devices[index]!;
  const payload = JSON.stringify({ seq: ++seq, values: { battery } });
  await client!.publishAsync(`smartfire/v1/${id}/telemetry`, payload, { qos: 1 });
}

const ofRule = async (device: string, rule: string): Promise<Alarm[]> =>
  (await centre!.operator.alarmsOf(device)).filter((alarm) => alarm.rule === rule);

it('changes rules while it runs: tried in shadow, overridden for one device, switched on, kept over kill -9', async () => {
  centre = await startCentre({ devices: 2 });
  const { admin, site } = centre;
  const source = { zh: '测试', en: 'Test' };
  const definition = {
    ...{ type: 'threshold', class: 'supervisory', zh: '电量', en: 'Battery', source },
    ...{ metric: 'battery', direction: 'below', limit: 60, hysteresis: 5, forMs: 0 },
  };
  const made: RuleRecord = await admin.post('rules', { definition, scope: { site: site.id }, mode: 'shadow' });
  const url = `rules/${made.id}`;
  const shadow = async () => (await admin.get<Page<WithheldRecord>>(`${url}/shadow`)).items;
  const current = () => admin.get<RuleRecord & { shadowRaised: number; raised: number }>(url);

  await connect(0);
  await send(0, 50);
  await until('the rule in shadow has seen it', async () => (await shadow()).length === 1);
  expect(await shadow()).toMatchObject([{ why: 'shadow', device: 'smoke-0', count: 1 }]);
  expect(await ofRule('smoke-0', made.id)).toEqual([]);
  expect((await current()).shadowRaised).toBe(1);

  const changes = { limit: 40 };
  await admin.post(`${url}/overrides`, { version: 1, scope: { device: 'smoke-1' }, changes });
  await admin.patch(url, { version: 2, mode: 'on' });
  const [inForce] = (await admin.get<Page<RuleInForce>>('devices/smoke-1/rules')).items.filter(
    ({ rule }) => rule === made.id,
  );
  expect(inForce).toMatchObject({ mode: 'on', definition: { limit: 40, hysteresis: 5 }, from: { limit: 'device' } });

  await centre.server.kill('SIGKILL');
  await centre.server.start();
  expect(await current()).toMatchObject({ version: 3, mode: 'on', overrides: [{ changes }] });

  await connect(0);
  await send(0, 49);
  await until('it raises where it holds', async () => (await ofRule('smoke-0', made.id)).length === 1);
  await connect(1);
  await send(1, 50);
  await send(1, 39);
  await until('it raises where its override holds', async () => (await ofRule('smoke-1', made.id)).length === 1);
  const [alarm] = await ofRule('smoke-1', made.id);
  expect(alarm?.explanation.en).toContain('39');

  const { items: versions } = await admin.get<Page<{ action: string }>>(`${url}/versions`);
  expect(versions.map(({ action }) => action)).toEqual(['update', 'override', 'create']);
});

it('withholds in maintenance what is no fire, shows what, and raises it when the window ends', async () => {
  centre = await startCentre({ devices: 1 });
  const { admin, site } = centre;
  const rule = 'preset:smoke-detector:battery-low';
  const now = Date.now();
  const window = { scope: { site: site.id }, from: now - 1000, to: now + 3_600_000, reason: '更换电池' };
  const { id } = await admin.post<{ id: string }>('maintenance', window);
  await connect(0);
  await send(0, 10);
  const withheld = async () => (await admin.get<Page<WithheldRecord>>(`maintenance/${id}/withheld`)).items;
  await until('it is listed', async () => (await withheld()).length === 1);
  const counted = async () => (await admin.get<{ withheld: number }>(`maintenance/${id}`)).withheld;
  expect(await counted()).toBe(1);
  expect(await ofRule('smoke-0', rule)).toEqual([]);
  await client!.publishAsync('smartfire/v1/smoke-0/event', JSON.stringify({ seq: ++seq, event: 'fire' }), { qos: 1 });
  await until('a fire is raised all the same', async () => (await centre!.fireAlarms()).length === 1);
  await admin.delete(`maintenance/${id}`);
  await until('it is raised at the end', async () => (await ofRule('smoke-0', rule)).length === 1);
  expect((await withheld())[0]!.overAt).not.toBe(null);
  expect(await counted()).toBe(0);
});

it('tries a rule over stored history, while the platform runs', async () => {
  centre = await startCentre({ devices: 1 });
  const { admin, site } = centre;
  await connect(0);
  const now = Date.now();
  const rows = Array.from({ length: 600 }, (_, i) => ({
    ts: now - (600 - i) * 10_000,
    values: { battery: i >= 300 && i < 360 ? 50 : 90 },
  }));
  await client!.publishAsync('smartfire/v1/smoke-0/telemetry', JSON.stringify(rows), { qos: 1 });
  const definition = {
    ...{ type: 'threshold', class: 'supervisory', zh: '电量', en: 'Battery' },
    ...{ metric: 'battery', direction: 'below', limit: 60, hysteresis: 5, forMs: 0 },
  };
  const body = { device: 'smoke-0', from: now - 7_200_000, to: now, definition, scope: { site: site.id } };
  let result: BacktestResult | undefined;
  await until('all of it is stored', async () => {
    result = await admin.post<BacktestResult>('rules/backtest', body).catch(() => undefined);
    return result?.rows === 600;
  });
  expect(result).toMatchObject({
    ...{ readings: 600, alarms: 1, timeInAlarm: 600_000 },
    episodes: [{ from: rows[300]!.ts, to: rows[360]!.ts, level: null }],
    series: [{ device: 'smoke-0', metric: 'battery' }],
  });
  expect(await admin.alarmsOf('smoke-0')).toEqual([]);
  const wrong = admin.post('rules/backtest', { ...body, definition: { ...definition, limit: 'x' } });
  await expect(wrong).rejects.toMatchObject({ status: 400, code: 'FIRE_RULE_INVALID' });
});
