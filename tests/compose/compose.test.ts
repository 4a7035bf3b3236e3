import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Centre, setUpCentre } from '../harness/centre.ts';
import { Compose, missingImages } from '../harness/docker.ts';
import { freePorts } from '../harness/server.ts';
import { until } from '../harness/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [web, mqtt, mqtts] = (await freePorts(3)) as [number, number, number];
const compose = new Compose({ web, mqtt, mqtts });
const SOON = { timeout: 60_000, interval: 500 };
const DEVICES = 30;
const RUN_SECONDS = 10;

describe.skipIf(missingImages(() => compose.images()))('docker-compose.yml', () => {
  const folder = mkdtempSync(join(tmpdir(), 'smart-fire-compose-'));
  const ca = join(folder, 'ca.pem');
  let centre: Centre;

  beforeAll(async () => {
    await compose.run('up', '--build', '-d');
    for (const service of ['smart-fire', 'influxdb'])
      await until(`${service} is healthy`, async () => (await compose.health(service)) === 'healthy', 120_000);
    // The private CA of the first start, as a person would give it to the browser.
    writeFileSync(ca, await compose.exec('smart-fire', 'cat', '/data/tls/ca.pem'));
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(ca, 'utf8')]);
    const log = await compose.run('logs', '--no-color', 'smart-fire');
    centre = await setUpCentre(`https://localhost:${web}`, /\/setup#(\S+)/.exec(log)?.[1] ?? null);
  });
  afterAll(async () => {
    await compose.run('down', '-v', '--remove-orphans', '--timeout', '5');
    rmSync(folder, { recursive: true, force: true });
  });

  /** [time, value] of one series by InfluxDB's own API, asked from within the network: its port is not published. */
  async function inInfluxdb(device: string, metric: string): Promise<[number, number][]> {
    const query = `SELECT value FROM "${metric}" WHERE device = '${device}' ORDER BY time`;
    const url = `http://influxdb:8086/query?db=smartfire&epoch=ms&q=${encodeURIComponent(query)}`;
    const script = `fetch(${JSON.stringify(url)}, { headers: { authorization: 'Token ${compose.secret}' } }).then((answer) => answer.text()).then(console.log)`;
    const answer = JSON.parse(await compose.exec('smart-fire', 'node', '-e', script));
    return answer.results[0].series?.[0].values ?? [];
  }
  const byApi = async (device: string, metric: string) =>
    (await centre.admin.get<{ points: [number, number][] }>(`devices/${device}/readings?metric=${metric}&limit=1000`))
      .points;
  async function publish(device: string, secret: string, payload: object): Promise<void> {
    const client = await connectAsync(`mqtts://localhost:${mqtts}`, {
      username: device,
      password: secret,
      clientId: device,
      ca: readFileSync(ca),
    });
    await client.publishAsync(`smartfire/v1/${device}/telemetry`, JSON.stringify(payload), { qos: 1 });
    await client.endAsync();
  }

  it('runs without root, with nothing to write on but its data', async () => {
    expect(Number(await compose.exec('smart-fire', 'id', '-u'))).toBeGreaterThan(0);
    expect(Number(await compose.exec('influxdb', 'id', '-u'))).toBeGreaterThan(0);
    await expect(compose.exec('smart-fire', 'touch', '/app/file')).rejects.toThrow(/read-only/i);
  });

  it('keeps the readings of a simulated fleet in InfluxDB, where our API finds them', async () => {
    const { secret } = await centre.admin.post<{ secret: string }>('tokens', { name: 'simulator' });
    const credentials = join(folder, 'devices.json');
    await promisify(execFile)(
      process.execPath,
      // biome-ignore format: one option a line is easier to change
      ['smart-fire.ts', 'simulate', '--url', `mqtt://127.0.0.1:${mqtt}`, '--api', `https://localhost:${web}`,
        '--credentials', credentials, '--devices', String(DEVICES), '--speed', '60', '--seconds', String(RUN_SECONDS)],
      { cwd: root, env: { ...process.env, SMARTFIRE_TOKEN: secret, NODE_EXTRA_CA_CERTS: ca } },
    );
    const fleet = JSON.parse(readFileSync(credentials, 'utf8')) as { id: string; kind: string }[];
    const detectors = fleet.filter(({ kind }) => kind === 'smoke-detector');
    expect(detectors.length).toBeGreaterThan(0);
    let found = 0;
    for (const { id } of detectors.slice(0, 3)) {
      await expect.poll(async () => (await inInfluxdb(id, 'smoke_density')).length, SOON).toBeGreaterThan(0);
      const stored = await inInfluxdb(id, 'smoke_density');
      await expect.poll(() => byApi(id, 'smoke_density'), SOON).toEqual(stored);
      found += stored.length;
    }
    expect(found).toBeGreaterThan(3);
  });

  it('loses nothing while InfluxDB is away, says so, and catches up', async () => {
    const { secret } = await centre.admin.addDevice(centre.site.id, 'smoke-detector', 'away-1');
    const time = Date.now() - 1000;
    await compose.run('stop', 'influxdb');
    await publish('away-1', secret, { ts: time, values: { temperature: 21.25 } });
    const degraded = async () => {
      const answer = await fetch(`https://localhost:${web}/readyz`);
      expect(answer.status).toBe(200);
      return ((await answer.json()) as { degraded: { part: string }[] }).degraded.map(({ part }) => part);
    };
    await expect.poll(degraded, SOON).toEqual(['readings']);
    await compose.run('start', 'influxdb');
    await expect.poll(() => inInfluxdb('away-1', 'temperature').catch(() => []), SOON).toEqual([[time, 21.25]]);
    await expect.poll(() => byApi('away-1', 'temperature').catch(() => []), SOON).toEqual([[time, 21.25]]);
    await expect.poll(degraded, SOON).toEqual([]);
  });

  it('is the same platform after its containers were made anew', async () => {
    await compose.run('up', '-d', '--force-recreate', '--no-deps', 'smart-fire');
    await expect.poll(() => compose.health('smart-fire'), SOON).toBe('healthy');
    expect((await centre.admin.get<{ items: unknown[] }>('devices?limit=1000')).items.length).toBeGreaterThan(DEVICES);
    expect(await byApi('away-1', 'temperature')).toHaveLength(1);
  });
});
