import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { type RunningCentre, startCentre } from '../harness/centre.ts';
import { DurableLoad } from '../harness/durable-load.ts';
import { Live } from '../harness/live.ts';
import { freePorts } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const HOOK = fileURLToPath(new URL('../harness/disk-trouble.ts', import.meta.url));
const trouble = join(tmpdir(), `disk-trouble-${process.pid}`);

let centre: RunningCentre;
let load: DurableLoad | undefined;
let live: Live | undefined;
let detector: MqttClient | undefined;
afterEach(async () => {
  rmSync(trouble, { force: true });
  live?.close();
  await detector?.endAsync(true);
  await load?.stop();
  await centre.remove();
});

/** A detector that nobody knew to be there connects and declares a fire. */
async function fire({ id, secret }: { id: string; secret: string }) {
  const sent = { acknowledged: false };
  const { mqtt } = centre.server.ports;
  detector = await connectAsync(`mqtt://127.0.0.1:${mqtt}`, { username: id, password: secret, reconnectPeriod: 500 });
  void detector
    .publishAsync(`smartfire/v1/${id}/event`, JSON.stringify({ seq: 1, event: 'fire' }), { qos: 1 })
    .then(() => {
      sent.acknowledged = true;
    });
  await until('the fire is on the screen', () => live!.alarmOf(id) !== undefined, 2000);
  return sent;
}

/** Runs the county until telemetry is refused: readers of all devices but the last, two of which burn. */
async function start(env: Record<string, string>, rate: number): Promise<void> {
  centre = await startCentre({ devices: 32, env });
  live = await Live.connect(centre.operator);
  const { devices } = centre;
  const { mqtt } = centre.server.ports;
  load = new DurableLoad({ port: mqtt, devices: devices.slice(0, 29), rate, burning: devices.slice(29, 31) });
  await load.start();
  await load.acknowledgedMore(1000);
}

const journal = () => centre.health('journal');
const silent = () => [...live!.alarms.values()].filter(({ cause }) => cause.includes('absence'));

/** When all is well again: what was acknowledged is stored once, and every fire has counted once. */
async function expectAllThere(): Promise<void> {
  await load!.acknowledgedMore(1000);
  await load!.finish();
  const stored = await centre.storedReadings();
  expect(load!.missingFrom(stored)).toEqual([]);
  expect(load!.notSentIn(stored)).toEqual([]);
  const sent = Object.fromEntries(load!.burningDevices().map((device) => [device, load!.firesOf(device)]));
  sent[centre.devices.at(-1)!.id] = 1;
  await until('all fires are saved', async () => (await centre.fireAlarms()).every(({ saved }) => saved));
  const counted = (await centre.fireAlarms()).map(({ device, count }) => [device, count]);
  expect(Object.fromEntries(counted)).toEqual(sent);
  expect(silent()).toEqual([]);
}

describe.skipIf(process.platform !== 'linux')('a journal’s disk', () => {
  it.each(['hang', 'EIO'])(
    'in trouble (%s) keeps no fire from the screen, and loses and doubles nothing',
    async (kind) => {
      await start({ NODE_OPTIONS: `--import=${HOOK}`, DISK_TROUBLE: trouble }, 500);
      writeFileSync(trouble, kind);
      await until('nothing is acknowledged', async () => (await journal())?.level === 'failed');
      const last = centre.devices.at(-1)!;
      const sent = await fire(last);
      await until('it is marked as not saved', () => live!.alarmOf(last.id)?.saved === false);
      expect(sent.acknowledged).toBe(false);
      expect(live!.alarmOf(last.id)).toMatchObject({ state: 'active-unacknowledged', count: 1 });
      rmSync(trouble);
      await until('it is saved', () => live!.alarmOf(last.id)?.saved === true);
      await until('it is acknowledged', () => sent.acknowledged);
      await expectAllThere();
    },
  );

  it('that is full still takes a fire, of a device that comes then, too', async () => {
    const [port] = await freePorts(1);
    await start({ JOURNAL_MAX: String(1024 ** 2), READINGS_URL: `influx://127.0.0.1:${port}/smart_fire` }, 3000);
    await until('readings are refused', async () => (await journal())?.level === 'failed', 60_000);
    const last = centre.devices.at(-1)!;
    const sent = await fire(last);
    await until('it is acknowledged', () => sent.acknowledged);
    expect(live!.alarmOf(last.id)).toMatchObject({ saved: true, count: 1 });
    expect(silent()).toEqual([]);
  });
});
